"""From whole datasets to the examples of a run: counts, validation split, resampling and scaling."""

import hashlib
import json
from collections.abc import Iterable
from functools import partial

import numpy as np

from dropout_lab.data.dataset import Dataset
from dropout_lab.data.opening import open_source
from dropout_lab.data.scaling import auto_kind, make_scaling
from dropout_lab.data.source import Array, Source
from dropout_lab.errors import DataError
from dropout_lab.records import DataFingerprint, IntArray
from dropout_lab.seeds import generator
from dropout_lab.spec import DataSpec

SELECTION = ("scale", "validation", "split_seed", "num_train", "num_test", "resample")
"""Fields of `DataSpec` that choose from a dataset, whichever it is."""


def load_data(spec: DataSpec, run_seed: int = 0) -> Dataset:
    """Read the dataset that `spec` names, check it, and return the examples that `spec` chooses.

    Args:
        spec: The dataset and the choice of examples.
        run_seed: Seed of the run, which matters only if `spec` resamples.

    Raises:
        DataError: If the data are missing or damaged, or have fewer examples than `spec` asks for.
        FunctionError: If a function of the user's fails.
    """
    return select(open_source(spec), spec, run_seed)


def load_all(specs: Iterable[DataSpec]) -> dict[DataSpec, Dataset]:
    """Return what `load_data` does for each of `specs`, but read each dataset once.

    Raises:
        DataError, FunctionError: As `load_data`.
    """
    sources: dict[DataSpec, Source] = {}
    loaded: dict[DataSpec, Dataset] = {}
    for spec in dict.fromkeys(specs):
        default = {name: DataSpec.model_fields[name].default for name in SELECTION}
        key = spec.model_copy(update=default)
        if key not in sources:
            sources[key] = open_source(spec)
        loaded[spec] = select(sources[key], spec)
    return loaded


def select(source: Source, spec: DataSpec, run_seed: int = 0) -> Dataset:
    """Return the examples that `spec` chooses from `source`: first its counts, then its validation split.

    With ``resample`` the training examples are drawn with replacement, and validation examples from those
    that were not drawn, so that results vary as they would with other training sets.
    (Source: Bouthillier et al. 2021, "Accounting for Variance in Machine Learning Benchmarks", arXiv
    2103.03098.)

    Args:
        source: A dataset, as `open_source` returns it.
        spec: The choice.
        run_seed: Seed of the run, which matters only if `spec` resamples.
    """
    assert source.test_inputs is not None and source.test_labels is not None
    train_inputs, train_labels = _first(
        source.train_inputs, source.train_labels, spec.num_train, "data.num_train", source
    )
    test_inputs, test_labels = _first(
        source.test_inputs, source.test_labels, spec.num_test, "data.num_test", source
    )
    choice: dict[str, object] = {"num_train": len(train_labels), "num_test": len(test_labels)}
    num_validation = 0
    if spec.validation != "test":
        num_validation = _num_validation(spec.validation, len(train_labels))
        choice |= {"num_validation": num_validation}
    if spec.resample:
        choice |= {"resample_seed": run_seed}
        chosen, rest = _resampled(len(source.train_labels), len(train_labels), num_validation, run_seed)
        train_inputs, train_labels = source.train_inputs, source.train_labels
    else:
        choice |= {"split_seed": spec.split_seed} if num_validation else {}
        order = generator(spec.split_seed, "split").permutation(len(train_labels))
        chosen, rest = np.sort(order[:num_validation]), np.sort(order[num_validation:])
    validation_inputs, validation_labels = test_inputs, test_labels
    if num_validation:
        validation_inputs, validation_labels = train_inputs[chosen], train_labels[chosen]
    if spec.resample or num_validation:
        train_inputs, train_labels = train_inputs[rest], train_labels[rest]
    names = source.class_names or ()
    auto = auto_kind(source.train_inputs)
    scale = auto if spec.scale == "auto" else spec.scale
    choice |= {"scale": scale} if scale != auto else {}
    text = json.dumps({"checksums": dict(source.checksums), **choice}, sort_keys=True)
    return Dataset(
        train_inputs=train_inputs,
        train_labels=train_labels,
        validation_inputs=validation_inputs,
        validation_labels=validation_labels,
        test_inputs=test_inputs,
        test_labels=test_labels,
        class_names=names,
        scaling=make_scaling(scale, train_inputs),
        fingerprint=DataFingerprint(
            name=source.name,
            folder=source.location,
            checksums=source.checksums,
            num_train=len(train_labels),
            num_validation=len(validation_labels),
            num_test=len(test_labels),
            digest=hashlib.sha256(text.encode()).hexdigest()[:36],
            code=source.code,
            class_names=() if names == tuple(map(str, range(len(names)))) else names,
        ),
        notes=source.notes,
        resampled=partial(select, source, spec) if spec.resample else None,
    )


def _first(
    inputs: Array, labels: Array, count: int | None, field: str, source: Source
) -> tuple[Array, Array]:
    if count is not None and count > len(labels):
        raise DataError(f"{field}: {count} is more than the {len(labels)} examples in {source.location}")
    return inputs[:count], labels[:count]


def _resampled(
    num_pool: int, num_train: int, num_validation: int, run_seed: int
) -> tuple[IntArray, IntArray]:
    """Draw training examples with replacement, and validation examples from the others, as sorted indices."""
    rng = generator(run_seed, "resample")
    drawn = np.sort(rng.integers(0, num_pool, num_train - num_validation))
    others = np.setdiff1d(np.arange(num_pool), drawn)
    return np.sort(rng.permutation(others)[:num_validation]), drawn


def _num_validation(validation: float | str, num_train: int) -> int:
    if isinstance(validation, float):
        num_validation = round(validation * num_train)
        received = f"{validation} ({num_validation} examples)"
    else:
        num_validation, received = int(validation), str(validation)
    if not 0 < num_validation < num_train:
        allowed = f"1 to {num_train - 1} of the {num_train} training examples"
        raise DataError(f"data.validation: {received} (allowed: {allowed})")
    return num_validation
