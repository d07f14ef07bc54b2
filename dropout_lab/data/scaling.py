"""Scaling of stored values to those that a network sees."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from dropout_lab.data.source import Array
from dropout_lab.records import FloatArray


@dataclass(frozen=True)
class Scaling:
    """The linear map ``(values - shift) * factor``; both broadcast over examples.

    Attributes:
        factor, shift: A number, or an array in the shape of one example. A shift of 0 is not subtracted.
        to_float: Whether values become float32. Integer sequences stay as they are.
    """

    factor: float | FloatArray = 1.0
    shift: float | FloatArray = 0.0
    to_float: bool = True


UNIT_PIXELS = Scaling(factor=1 / 255)
"""From pixels of 0 to 255 to [0, 1]."""


CHUNK_SIZE = 2**20
"""Values that are converted at once."""

Kind = Literal["none", "unit", "standardize"]


def auto_kind(train_inputs: Array) -> Kind:
    """Return the kind of scaling that suits inputs: as ``data.scale: auto`` in a spec.

    Args:
        train_inputs: The whole training part, as `prepare_inputs` returns it.
    """
    low, high = train_inputs.min(), train_inputs.max()
    if train_inputs.dtype.kind == "f":
        return "none" if low >= -1 and high <= 1 else "standardize"
    if _are_sequences(train_inputs) or high <= 1:
        return "none"
    return "unit" if low >= 0 and high <= 255 else "standardize"


def make_scaling(kind: Kind, train_inputs: Array) -> Scaling:
    """Return the scaling of `kind`, with the statistics of the training part.

    Args:
        kind: ``unit`` divides integers from 0 to 255 by 255, and maps other values so that each channel or
            feature (last axis) of the training part has the range [0, 1]. ``standardize`` gives each of them
            mean 0 and standard deviation 1. Both make a constant one 0. ``none`` changes no value.
        train_inputs: (n, ...) the training examples of a run, without those for validation and test.
    """
    if kind == "none":
        return Scaling(to_float=not _are_sequences(train_inputs))
    if kind == "standardize":
        return _linear(*_moments(train_inputs))
    axes = tuple(range(train_inputs.ndim - 1))
    low, high = train_inputs.min(axes).astype(np.float64), train_inputs.max(axes).astype(np.float64)
    if train_inputs.dtype.kind != "f" and low.min() >= 0 and high.max() <= 255:
        return UNIT_PIXELS
    return _linear(low, high - low)


def _are_sequences(inputs: Array) -> bool:
    """Return whether inputs are sequences of integers, such as the numbers of words."""
    return inputs.ndim == 2 and inputs.dtype.kind != "f" and inputs.dtype != np.uint8


def _moments(inputs: Array) -> tuple[Array, Array]:
    """Return mean and standard deviation along the last axis, without a large copy of `inputs`."""
    rows = inputs.reshape(-1, inputs.shape[-1])
    parts = np.array_split(rows, -(-rows.size // CHUNK_SIZE))
    mean = sum(part.sum(0, np.float64) for part in parts) / len(rows)
    squares = sum(np.square(part - mean).sum(0) for part in parts)
    return mean, np.sqrt(squares / len(rows))


def _linear(shift: Array, spread: Array) -> Scaling:
    varies = spread > np.finfo(np.float32).eps * np.abs(shift)
    factor = np.divide(1, spread, out=np.ones_like(spread), where=varies)
    return Scaling(factor=factor.astype(np.float32), shift=shift.astype(np.float32))
