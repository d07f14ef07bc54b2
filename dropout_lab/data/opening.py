"""From the dataset that a spec names to its whole, checked arrays."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module

import numpy as np

from dropout_lab.data.array_files import read_npz
from dropout_lab.data.content import array_checksum, count_shared
from dropout_lab.data.image_folders import read_images
from dropout_lab.data.inputs import check_lengths, check_parts, prepare_inputs, to_images
from dropout_lab.data.labels import encode_labels
from dropout_lab.data.source import Array, Source, as_source
from dropout_lab.errors import DataError, FunctionError
from dropout_lab.functions import LoadedFunction, load_function
from dropout_lab.libraries import without_keras_settings
from dropout_lab.seeds import generator
from dropout_lab.spec import DataSpec
from dropout_lab.spec.dataset_names import DATASETS

WHERE = "data.dataset"


def open_source(spec: DataSpec) -> Source:
    """Return the dataset that `spec` names: checked, encoded, and divided into a training and a test part.

    Raises:
        DataError: If it is missing, damaged, or no data for a classifier.
        FunctionError: If a function fails.
    """
    return check_source(_read(spec), spec)


def check_source(source: Source, spec: DataSpec) -> Source:
    """Return `source` with its inputs and labels checked and encoded, and with a test part.

    Raises:
        DataError: If it is no data for a classifier.
    """
    where = f"{WHERE}: {source.location}"
    train_inputs = prepare_inputs(source.train_inputs, "x_train", where)
    test_inputs = None
    if source.test_inputs is None:
        (train_inputs,) = to_images([train_inputs])
    else:
        test_inputs = prepare_inputs(source.test_inputs, "x_test", where)
        train_inputs, test_inputs = to_images([train_inputs, test_inputs])
    train_labels, test_labels, names = encode_labels(
        source.train_labels, source.test_labels, source.class_names, where
    )
    check_lengths(train_inputs, train_labels, "train", where)
    check_parts(train_inputs, test_inputs, where)
    if test_inputs is None or test_labels is None:
        chosen, rest = _split(train_labels, names, spec, where)
        test_inputs, test_labels = train_inputs[chosen], train_labels[chosen]
        train_inputs, train_labels = train_inputs[rest], train_labels[rest]
    else:
        check_lengths(test_inputs, test_labels, "test", where)
        for field in ("test_split", "test_seed"):
            if getattr(spec, field) != type(spec).model_fields[field].default:
                raise DataError(f"data.{field}: no effect, since {source.location} has a test part")
    checked = replace(
        source,
        train_inputs=train_inputs,
        train_labels=train_labels,
        test_inputs=test_inputs,
        test_labels=test_labels,
        class_names=names,
    )
    notes = source.notes
    if shared := count_shared(train_inputs, test_inputs):
        problem = f"{shared} of {len(test_inputs)} test examples are in the training part too"
        notes = (*notes, f"{source.name}: {problem}, which makes test metrics better than they are.")
    arrays = ("train_inputs", "train_labels", "test_inputs", "test_labels")
    checksums = source.checksums or {name: array_checksum(getattr(checked, name)) for name in arrays}
    return replace(checked, checksums=checksums, notes=notes)


def _read(spec: DataSpec) -> Source:
    match spec.form:
        case "npz":
            return read_npz(spec.dataset, f"{WHERE}: {spec.dataset}")
        case "folder":
            return read_images(spec, f"{WHERE}: {spec.dataset}")
        case "name":
            return _read_named(spec)
        case "function":
            return _call_function(spec)


def _read_named(spec: DataSpec) -> Source:
    named = DATASETS[spec.dataset]
    home, _, name = named.loader.partition(":")
    if home.startswith("keras."):
        with without_keras_settings():
            import keras  # noqa: F401
    loader = getattr(import_module(home), name)
    loaded = LoadedFunction(reference=spec.dataset, where=WHERE, function=loader, code_fingerprint="")
    try:
        result = loaded.call(**{field: getattr(spec, field) for field in named.fields})
    except FunctionError as error:
        raise DataError(error.message, hint=named.hint or error.hint) from None
    if isinstance(result, Source):
        return result
    return as_source(result, spec.dataset, class_names=named.class_names or None)


def _call_function(spec: DataSpec) -> Source:
    loaded = load_function(spec.dataset, WHERE)
    loaded.check_arguments(spec.arguments, "data.arguments")
    with _seeded():
        result = loaded.call(**spec.arguments)
    return as_source(result, spec.dataset, code=loaded.code_fingerprint)


@contextmanager
def _seeded() -> Iterator[None]:
    """Start the global random streams of Python and NumPy from fixed seeds, and restore them afterwards.

    A function that shuffles without a seed of its own then returns the same data in each call.
    """
    before, numpy_before = random.getstate(), np.random.get_state()  # noqa: NPY002
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(before)
        np.random.set_state(numpy_before)  # noqa: NPY002


def _split(labels: Array, names: tuple[str, ...], spec: DataSpec, where: str) -> tuple[Array, Array]:
    """Return the indices of the test examples and of the others, the same fraction of each class."""
    rng = generator(spec.test_seed, "test")
    chosen = []
    for label, name in enumerate(names):
        members = rng.permutation(np.flatnonzero(labels == label))
        if len(members) < 2:
            raise DataError(
                f"{where}: only one example of class {name!r} (allowed: at least 2, for training and test)"
            )
        count = round(spec.test_split * len(members))
        chosen.append(members[: min(max(count, 1), len(members) - 1)])
    test = np.sort(np.concatenate(chosen))
    return test, np.setdiff1d(np.arange(len(labels)), test)
