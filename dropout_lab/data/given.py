"""Arrays that Python code gives, kept in a file that a spec can name."""

import hashlib
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dropout_lab.data.array_files import CLASS_NAMES, PARTS
from dropout_lab.errors import DataError
from dropout_lab.files import move_durably

WHERE = "data"
FORMS = "(x_train, y_train, x_test, y_test), ((x_train, y_train), (x_test, y_test)), (x, y) or a mapping"


def name_arrays(data: Any) -> dict[str, npt.NDArray[Any]]:
    """Return arrays by their names in an ``.npz`` file.

    Args:
        data: A tuple of four arrays, of two for data without a test part, of two such pairs, or a mapping
            with the names of `PARTS` and, if classes have names, `CLASS_NAMES`.

    Raises:
        DataError: If `data` has none of these forms, or an array has values that no file keeps.
    """
    if isinstance(data, Mapping):
        named = dict(data)
    elif isinstance(data, tuple | list) and len(data) == 2 and isinstance(data[0], tuple):
        pairs = [part for pair in data for part in pair]
        named = dict(zip(PARTS, pairs, strict=False)) if len(pairs) == 4 else {}
    elif isinstance(data, tuple | list) and len(data) in (2, 4):
        named = dict(zip(PARTS, data, strict=False))
    else:
        named = {}
    allowed = (*PARTS, CLASS_NAMES)
    if not set(PARTS[:2]) <= set(named) or not set(named) <= set(allowed):
        what = f"a mapping of {', '.join(map(str, named))}" if named else type(data).__name__
        raise DataError(f"{WHERE}: not understood: {what} (allowed: {FORMS})")
    return {name: _array(named[name], name) for name in allowed if name in named}


def _array(values: Any, name: str) -> npt.NDArray[Any]:
    if np.ma.is_masked(values):
        raise DataError(
            f"{WHERE}: {name} has masked values", hint="Fill them in, or leave out these examples."
        )
    try:
        array = np.asarray(values)
    except ValueError:
        array = np.empty(0, dtype=object)
    if array.dtype == object and array.size and all(isinstance(one, str) for one in array.ravel()):
        array = array.astype(str)  # names of classes in a data frame
    if array.dtype == object:
        raise DataError(
            f"{WHERE}: {name} has Python objects or rows of different lengths (allowed: arrays)",
            hint="Pad sequences to one length; turn text and categories into numbers.",
        )
    return array


def path_for(arrays: Mapping[str, npt.NDArray[Any]], folder: Path) -> Path:
    """Return the path for `arrays` in `folder`: equal arrays get the same."""
    digest = hashlib.sha256()
    for name, array in arrays.items():
        digest.update(f"{name}{array.shape}{array.dtype.str}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return folder / f"{digest.hexdigest()[:32]}.npz"


def save_arrays(arrays: Mapping[str, npt.NDArray[Any]], path: Path) -> None:
    """Write `arrays` to the ``.npz`` file `path`, which a crash leaves whole or absent.

    Raises:
        OSError: If it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.stem}.{uuid.uuid4().hex[:8]}.part.npz")
    try:
        np.savez(aside, **arrays)  # type: ignore[arg-type]
        move_durably(aside, path)
    finally:
        aside.unlink(missing_ok=True)
