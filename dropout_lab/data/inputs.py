"""Inputs: arrays of one shape per example, of finite numbers, in the dtype that is stored."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from dropout_lab.data.source import Array
from dropout_lab.errors import DataError

INT32 = np.iinfo(np.int32)


def prepare_inputs(values: Any, name: str, where: str) -> Array:
    """Return inputs in the form in which they are stored.

    Args:
        values: (n, ...) numbers.
        name: Name of the array, such as ``x_train``.
        where: Begins messages.

    Returns:
        (n, *input_shape), contiguous: uint8, int32 or int64 (the first that fits), or float32.

    Raises:
        DataError: If the values are no numbers, not finite, or have no dimension per example.
    """
    if np.ma.isMaskedArray(values) and np.ma.is_masked(values):
        raise DataError(
            f"{where}: {name} has masked values", hint="Fill them in, or leave out these examples."
        )
    try:
        found = np.asarray(values)
    except ValueError:  # rows of different lengths
        found = np.empty(0, dtype=object)
    if found.dtype.kind not in "biuf":
        what = "Python objects or rows of different lengths" if found.dtype == object else str(found.dtype)
        raise DataError(
            f"{where}: {name} has {what} (allowed: numbers, in one shape for all examples)",
            hint="Pad sequences to one length; turn text and categories into numbers.",
        )
    if found.ndim < 2 or 0 in found.shape:
        raise DataError(
            f"{where}: {name} has the shape {found.shape} (allowed: (n, ...), with at least one value"
            " for each of n examples)",
            hint="Give a single feature a dimension of its own: x[:, None]." if found.ndim == 1 else None,
        )
    if found.dtype.kind in "bf":
        with np.errstate(over="ignore"):
            found = found.astype(np.float32)
        _check_finite(found, name, where)
    elif found.dtype != np.uint8:
        fits = INT32.min <= found.min() and found.max() <= INT32.max
        found = found.astype(np.int32 if fits else np.int64)
    return np.ascontiguousarray(found, dtype=found.dtype.newbyteorder("="))


def to_images(parts: Sequence[Array]) -> list[Array]:
    """Return images as uint8 with a channel, if the parts of a dataset can be images; else unchanged.

    They can if they have at least 3 dimensions, and are uint8 or all integers from 0 to at most 255, not only
    0 and 1. Images without channels, (n, height, width), get one.
    """
    if any(part.ndim < 3 or part.dtype.kind == "f" for part in parts):
        return list(parts)
    if any(part.dtype != np.uint8 for part in parts):
        highest = max(part.max() for part in parts)
        if min(part.min() for part in parts) < 0 or not 1 < highest <= 255:
            return list(parts)
        parts = [part.astype(np.uint8) for part in parts]
    return [part[..., np.newaxis] if part.ndim == 3 else part for part in parts]


def check_parts(train: Array, test: Array | None, where: str) -> None:
    """Check that the inputs of both parts go together, and vary.

    Raises:
        DataError: If they differ in shape or kind of numbers, or all training inputs are equal.
    """
    if test is not None and train.shape[1:] != test.shape[1:]:
        raise DataError(
            f"{where}: an example has the shape {train.shape[1:]} in x_train and {test.shape[1:]} in x_test"
        )
    if test is not None and (train.dtype.kind == "f") != (test.dtype.kind == "f"):
        raise DataError(
            f"{where}: x_train has {_kind(train)} and x_test {_kind(test)}",
            hint="Scale both parts or neither; data.scale scales both.",
        )
    if train.min() == train.max():
        raise DataError(f"{where}: all values of x_train are {train.flat[0]}")


def check_lengths(inputs: Array, labels: Array, part: str, where: str) -> None:
    """Check that there is one label per example. Raises DataError."""
    if len(inputs) != len(labels):
        raise DataError(f"{where}: {len(inputs)} examples in x_{part}, but {len(labels)} labels in y_{part}")


def _check_finite(values: Array, name: str, where: str) -> None:
    # The sum is finite if all values are; only its doubt is worth a second look, since that takes memory.
    with np.errstate(all="ignore"):
        if math.isfinite(float(values.sum(dtype=np.float64))):
            return
    finite = np.isfinite(values)
    if not finite.all():
        place = tuple(int(one) for one in np.unravel_index(int(finite.argmin()), values.shape))
        count = values.size - int(finite.sum())
        more = f" and {count - 1} more" if count > 1 else ""
        raise DataError(
            f"{where}: {name} has {values[place]} at {list(place)}{more} (allowed: finite numbers)",
            hint="Fill in missing values, or leave out these examples.",
        )


def _kind(values: Array) -> str:
    return "floats" if values.dtype.kind == "f" else "integers"
