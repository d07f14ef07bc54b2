"""Datasets for a look ahead: as a run loads them, but nothing is downloaded for it."""

from collections.abc import Iterable

import numpy as np

from dropout_lab.data.dataset import Dataset
from dropout_lab.data.fashion_mnist import NAME
from dropout_lab.data.idx_files import OFFICIAL_CHECKSUMS, locate
from dropout_lab.data.selection import load_all, select
from dropout_lab.data.source import Array, Source
from dropout_lab.spec import DataSpec
from dropout_lab.spec.dataset_names import DATASETS

NUM_TRAIN, NUM_TEST = 60_000, 10_000


def outline_all(specs: Iterable[DataSpec]) -> dict[DataSpec, Dataset]:
    """Return what `load_all` does, but with white images where it would download Fashion-MNIST.

    Raises:
        DataError, FunctionError: As `load_data`.
    """
    given = list(dict.fromkeys(specs))
    missing = [spec for spec in given if spec.dataset == NAME and locate(spec.folder) is None]
    return load_all(spec for spec in given if spec not in missing) | {
        spec: select(_blank(), spec) for spec in missing
    }


def _blank() -> Source:
    """Return the dataset with white images, which take no memory and are scaled like the others."""
    return Source(
        train_inputs=_images(NUM_TRAIN),
        train_labels=np.arange(NUM_TRAIN) % 10,
        test_inputs=_images(NUM_TEST),
        test_labels=np.arange(NUM_TEST) % 10,
        class_names=DATASETS[NAME].class_names,
        name=NAME,
        location="(to be downloaded)",
        checksums=OFFICIAL_CHECKSUMS,
        notes=("Fashion-MNIST is not on this machine; the first run downloads it.",),
    )


def _images(count: int) -> Array:
    return np.broadcast_to(np.uint8(255), (count, 28, 28, 1))
