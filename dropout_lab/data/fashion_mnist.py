"""Fashion-MNIST, or other images in the format of its files."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from dropout_lab.data.fetching import locate_or_download
from dropout_lab.data.idx_files import OFFICIAL_CHECKSUMS, IdxFile, read_files
from dropout_lab.data.source import Array, Source
from dropout_lab.spec.dataset_names import DATASETS

NAME = "fashion_mnist"


def load_source(folder: str | None = None) -> Source:
    """Locate or download the files, verify them, and return their images.

    Raises:
        DataError: If they are missing or damaged.
    """
    return read_source(locate_or_download(folder))


def read_source(folder: Path) -> Source:
    """Return the images in the four files in `folder`, after verifying them.

    Images of others than the authors of Fashion-MNIST have the name of their folder.

    Raises:
        DataError: If a file is missing or damaged.
    """
    files = read_files(folder)
    checksums = {name: file.checksum for name, file in files.items()}
    official = is_official(checksums)
    train_inputs, train_labels = _part(files, "train")
    test_inputs, test_labels = _part(files, "t10k")
    return Source(
        train_inputs=train_inputs,
        train_labels=train_labels,
        test_inputs=test_inputs,
        test_labels=test_labels,
        class_names=DATASETS[NAME].class_names if official else None,
        name=NAME if official else folder.absolute().name or NAME,
        location=str(folder),
        checksums=checksums,
    )


def is_official(checksums: Mapping[str, str]) -> bool:
    """Return whether `checksums` are those of the authors' files, not those of other images."""
    return dict(checksums) == dict(OFFICIAL_CHECKSUMS)


def _part(files: Mapping[str, IdxFile], part: str) -> tuple[Array, Array]:
    images, labels = files[f"{part}-images-idx3-ubyte"], files[f"{part}-labels-idx1-ubyte"]
    return images.values[..., np.newaxis], labels.values
