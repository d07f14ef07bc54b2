"""Images among stored values: whether inputs are some, and which values they can have."""

from typing import Any

import numpy as np
import numpy.typing as npt

from dropout_lab.data.dataset import Inputs
from dropout_lab.errors import DataError

CHUNK_SIZE = 2**23
"""Values that are changed at once, which bounds memory."""


def require_images(inputs: Inputs, what: str) -> None:
    """Check that `inputs` are images. Raises DataError with `what` needs them."""
    if inputs.ndim != 4 or min(inputs.shape[1:3]) < 2 or inputs.shape[3] > 4:
        raise DataError(
            f"{what}: inputs of shape {inputs.shape[1:]} are no images"
            " (allowed: height, width and 1 to 4 channels)"
        )


def value_range(images: Inputs) -> tuple[float, float]:
    """Return the lowest and the highest value: 0 and 255 of uint8, else those in `images`."""
    return (0.0, 255.0) if images.dtype == np.uint8 else (float(images.min()), float(images.max()))


def as_stored(images: npt.NDArray[Any], dtype: np.dtype[Any], low: float, high: float) -> Inputs:
    """Return `images` in `dtype`, cut off below `low` and above `high`, rounded if they are integers."""
    limited = np.clip(images, low, high)
    stored: Inputs = (np.rint(limited) if dtype.kind != "f" else limited).astype(dtype)
    return stored
