"""Stored images as they are shown: gray or color, 0 to 1; and small PNG files of them."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

Floats = npt.NDArray[np.floating[Any]]

MAX_SIDE = 64
"""Most pixels of a side of a thumbnail."""


def shown_pixels(images: npt.NDArray[Any], chosen: Sequence[int] | npt.NDArray[Any]) -> list[Floats]:
    """Return the chosen images with values from 0 (the lowest of all images) to 1 (the highest).

    Args:
        images: (n, height, width, channels), stored values; two channels or more than three show the first.
        chosen: Numbers of images, from 0.

    Returns:
        Each (height, width) or (height, width, 3).
    """
    shown = images if images.shape[-1] == 3 else images[..., 0]
    low, high = float(shown.min()), float(shown.max())
    return [(shown[one].astype(np.float32) - low) / ((high - low) or 1) for one in chosen]


def thumbnail(pixels: Floats) -> bytes:
    """Return an image of `shown_pixels` as a PNG of at most 64 x 64 pixels."""
    image = Image.fromarray(np.rint(255 * pixels).astype(np.uint8))
    image.thumbnail((MAX_SIDE, MAX_SIDE))
    buffer = io.BytesIO()
    image.save(buffer, "png", optimize=True)
    return buffer.getvalue()
