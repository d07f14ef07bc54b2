"""Fashion-MNIST, verified and divided into training, validation and test images."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from dropout_lab.data.dataset import Dataset
from dropout_lab.data.fetching import locate_or_download
from dropout_lab.data.idx_files import OFFICIAL_CHECKSUMS, ByteArray, IdxFile, read_files
from dropout_lab.data.scaling import UNIT_PIXELS
from dropout_lab.errors import DataError
from dropout_lab.records import DataFingerprint, IntArray
from dropout_lab.seeds import generator
from dropout_lab.spec import DataSpec

CLASS_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
"""Names of the classes by label, as the authors of the dataset write them."""


def load_data(spec: DataSpec, run_seed: int = 0) -> Dataset:
    """Locate or download the files, verify them, and return the images that `spec` chooses.

    Args:
        spec: The choice of images.
        run_seed: Seed of the run, which matters only if `spec` resamples.

    Raises:
        DataError: If the files are missing or damaged, or have fewer images than `spec` asks for.
    """
    folder = locate_or_download(spec.folder)
    return select_images(read_files(folder), folder, spec, run_seed)


def select_images(files: Mapping[str, IdxFile], folder: Path, spec: DataSpec, run_seed: int = 0) -> Dataset:
    """Return the images that `spec` chooses from `files`: first its counts, then its validation split.

    With ``resample`` the training images are drawn with replacement, and validation images from those that
    were not drawn, so that results vary as they would with other training sets.
    (Source: Bouthillier et al. 2021, "Accounting for Variance in Machine Learning Benchmarks", arXiv
    2103.03098.)
    """
    train_inputs, train_labels = _first(files, "train", spec.num_train, "data.num_train")
    test_inputs, test_labels = _first(files, "t10k", spec.num_test, "data.num_test")
    checksums = {name: file.checksum for name, file in files.items()}
    choice: dict[str, object] = {"num_train": len(train_labels), "num_test": len(test_labels)}
    num_validation = 0
    if spec.validation != "test":
        num_validation = _num_validation(spec.validation, len(train_labels))
        choice |= {"num_validation": num_validation}
    if spec.resample:
        choice |= {"resample_seed": run_seed}
        pool = _first(files, "train", None, "")
        chosen, rest = _resampled(len(pool[1]), len(train_labels), num_validation, run_seed)
        train_inputs, train_labels = pool
    else:
        choice |= {"split_seed": spec.split_seed} if num_validation else {}
        order = generator(spec.split_seed, "split").permutation(len(train_labels))
        chosen, rest = np.sort(order[:num_validation]), np.sort(order[num_validation:])
    validation_inputs, validation_labels = test_inputs, test_labels
    if num_validation:
        validation_inputs, validation_labels = train_inputs[chosen], train_labels[chosen]
    if spec.resample or num_validation:
        train_inputs, train_labels = train_inputs[rest], train_labels[rest]
    text = json.dumps({"checksums": checksums, **choice}, sort_keys=True)
    return Dataset(
        train_inputs=train_inputs,
        train_labels=train_labels,
        validation_inputs=validation_inputs,
        validation_labels=validation_labels,
        test_inputs=test_inputs,
        test_labels=test_labels,
        class_names=CLASS_NAMES,
        scaling=UNIT_PIXELS,
        fingerprint=DataFingerprint(
            folder=str(folder),
            checksums=checksums,
            num_train=len(train_labels),
            num_validation=len(validation_labels),
            num_test=len(test_labels),
            digest=hashlib.sha256(text.encode()).hexdigest()[:36],
        ),
    )


def _resampled(
    num_images: int, num_train: int, num_validation: int, run_seed: int
) -> tuple[IntArray, IntArray]:
    """Draw training images with replacement, and validation images from the others, as sorted indices."""
    rng = generator(run_seed, "resample")
    drawn = np.sort(rng.integers(0, num_images, num_train - num_validation))
    others = np.setdiff1d(np.arange(num_images), drawn)
    return np.sort(rng.permutation(others)[:num_validation]), drawn


def is_official(checksums: Mapping[str, str]) -> bool:
    """Return whether `checksums` are those of the authors' files, not those of other images."""
    return dict(checksums) == dict(OFFICIAL_CHECKSUMS)


def _first(
    files: Mapping[str, IdxFile], part: str, count: int | None, location: str
) -> tuple[ByteArray, ByteArray]:
    images, labels = files[f"{part}-images-idx3-ubyte"], files[f"{part}-labels-idx1-ubyte"]
    num_images = len(labels.values)
    if count is not None and count > num_images:
        raise DataError(f"{location}: {count} is more than the {num_images} images in {images.path}")
    return images.values[:count, ..., np.newaxis], labels.values[:count]


def _num_validation(validation: float | str, num_train: int) -> int:
    if isinstance(validation, float):
        num_validation = round(validation * num_train)
        received = f"{validation} ({num_validation} images)"
    else:
        num_validation, received = int(validation), str(validation)
    if not 0 < num_validation < num_train:
        raise DataError(
            f"data.validation: {received} (allowed: 1 to {num_train - 1} of the {num_train} training images)"
        )
    return num_validation
