"""Scaling of stored values to those that a network sees."""

from dataclasses import dataclass

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
