"""Datasets in an ``.npz`` file."""

import math
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from dropout_lab.data.idx_files import expand_user
from dropout_lab.data.memory import check_memory
from dropout_lab.data.source import Array, Source
from dropout_lab.errors import DataError, did_you_mean

PARTS = ("x_train", "y_train", "x_test", "y_test")
CLASS_NAMES = "class_names"


def read_npz(name: str, where: str) -> Source:
    """Read the arrays x_train and y_train, and, if there are any, x_test, y_test and class_names.

    Args:
        name: Path of the file, relative to the current folder.
        where: Begins messages.

    Raises:
        DataError: If the file is missing or damaged, lacks an array, or does not fit into memory.
    """
    path = expand_user(name) or Path(name)
    try:
        with path.open("rb") as opened:
            if not zipfile.is_zipfile(opened):
                raise DataError(f"{where}: not a .npz file, or one that is cut off")
        with np.load(path, allow_pickle=False) as file:
            names = _present(file.files, where)
            check_memory(sum(_num_bytes(path, one) for one in names), where)
            arrays = {one: _read(file, one, where) for one in names}
    except FileNotFoundError:
        near = did_you_mean(path.name, (one.name for one in path.absolute().parent.glob("*.npz")))
        raise DataError(f"{where}: file not found in {Path.cwd()}{near}") from None
    except OSError as error:
        raise DataError(f"{where}: cannot be read: {error.strerror or error}") from None
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error, KeyError) as error:
        raise DataError(f"{where}: not a .npz file, or a damaged one ({error})") from None
    class_names = arrays.get(CLASS_NAMES)
    return Source(
        train_inputs=arrays["x_train"],
        train_labels=arrays["y_train"],
        test_inputs=arrays.get("x_test"),
        test_labels=arrays.get("y_test"),
        class_names=None if class_names is None else tuple(map(str, class_names.ravel())),
        name=path.stem,
        location=str(path),
    )


def _present(found: list[str], where: str) -> list[str]:
    needed = PARTS if "x_test" in found or "y_test" in found else PARTS[:2]
    for name in needed:
        if name not in found:
            near = did_you_mean(name, [one for one in found if one not in PARTS])
            raise DataError(
                f"{where}: no array {name!r}{near} (available: {', '.join(found[:10]) or 'none'})"
            )
    return [name for name in (*PARTS, CLASS_NAMES) if name in found]


def _num_bytes(path: Path, name: str) -> int:
    """Return the size of an array, read from its header."""
    with zipfile.ZipFile(path) as file, file.open(f"{name}.npy") as member:
        version = np.lib.format.read_magic(member)
        read = (
            np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        )
        shape, _, dtype = read(member)
    return math.prod(shape) * int(dtype.itemsize)


def _read(file: Mapping[str, Array], name: str, where: str) -> Array:
    try:
        return file[name]
    except ValueError as error:
        if "pickle" not in str(error):
            raise
        raise DataError(
            f"{where}: {name} holds Python objects, which are not read, since they can run code",
            hint="Save arrays of numbers, all rows in the same shape; pad sequences to one length.",
        ) from None
