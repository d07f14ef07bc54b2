"""Shifted images: noise, blur, lower contrast, translation and rotation, at five severities each.

The idea is that of Hendrycks & Dietterich 2019, "Benchmarking Neural Network Robustness to Common Corruptions
and Perturbations" (arXiv 1903.12261). The parameters are those of `SHIFTS`, so results are not comparable
with those on CIFAR-10-C or MNIST-C.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dropout_lab.data.dataset import Inputs
from dropout_lab.data.images import CHUNK_SIZE, as_stored, require_images, value_range
from dropout_lab.errors import UsageError, did_you_mean
from dropout_lab.evaluation.robustness import SEVERITIES
from dropout_lab.seeds import generator

SIDE = 28
"""Shorter side, in pixels, that distances in `SHIFTS` refer to; other images scale them."""

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Shift:
    """One way to change images.

    Attributes:
        meaning: Meaning of `amounts`, with its unit.
        amounts: The amount at each severity from 1 on.
        apply: Returns changed images, from images (n, height, width, channels), the amount, the lowest and
            highest value that they can have, and random numbers. Values outside the range are cut off later.
    """

    meaning: str
    amounts: tuple[float, float, float, float, float]
    apply: Callable[[Floats, float, tuple[float, float], np.random.Generator], npt.NDArray[Any]]


def shift_images(images: Inputs, name: str, severity: int, *, seed: int = 0) -> Inputs:
    """Return `images` with the shift called `name`.

    Equal arguments give equal images. All severities of a shift use the same random numbers: the same noise,
    larger; the same direction, farther.

    Args:
        images: (n, height, width, channels), stored values. Their range is 0 to 255 if they are uint8, else
            the lowest to the highest in `images`.
        name: A key of `SHIFTS`.
        severity: 1 to 5; 0 changes nothing.
        seed: Seed of the random numbers.

    Returns:
        Images of the same shape and dtype.

    Raises:
        UsageError: If there is no such shift or severity.
        DataError: If these are no images.
    """
    if name not in SHIFTS:
        raise UsageError(f"Unknown shift {name!r}{did_you_mean(name, SHIFTS)} (allowed: {', '.join(SHIFTS)})")
    if severity not in (0, *SEVERITIES):
        raise UsageError(f"Unknown severity {severity!r} (allowed: 0 to {SEVERITIES[-1]})")
    require_images(images, f"shift {name!r}")
    if severity == 0:
        return images
    shift = SHIFTS[name]
    low, high = value_range(images)
    random = generator(seed, "shift", name)
    shifted = np.empty_like(images)
    num_images = max(1, CHUNK_SIZE // images[0].size)
    for start in range(0, len(images), num_images):
        chunk = slice(start, start + num_images)
        changed = shift.apply(
            images[chunk].astype(np.float32), shift.amounts[severity - 1], (low, high), random
        )
        shifted[chunk] = as_stored(changed, images.dtype, low, high)
    return shifted


def _add_noise(
    images: Floats, amount: float, limits: tuple[float, float], random: np.random.Generator
) -> npt.NDArray[Any]:
    noise = random.standard_normal(images.shape, dtype=np.float32)
    return images + np.float32(amount * (limits[1] - limits[0])) * noise


def _blur(images: Floats, amount: float, _: tuple[float, float], __: np.random.Generator) -> npt.NDArray[Any]:
    from scipy.ndimage import gaussian_filter

    pixels = amount * min(images.shape[1:3]) / SIDE
    blurred: Floats = gaussian_filter(images, (0, pixels, pixels, 0), mode="nearest")
    return blurred


def _lower_contrast(
    images: Floats, amount: float, _: tuple[float, float], __: np.random.Generator
) -> npt.NDArray[Any]:
    means = images.mean(axis=(1, 2), keepdims=True)
    changed: Floats = means + np.float32(amount) * (images - means)
    return changed


def _translate(
    images: Floats, amount: float, limits: tuple[float, float], random: np.random.Generator
) -> npt.NDArray[Any]:
    pixels = amount * min(images.shape[1:3]) / SIDE
    rows, columns = np.indices(images.shape[1:3], dtype=np.float64)
    directions = random.integers(4, size=len(images))
    moved = np.empty_like(images)
    for direction in range(4):
        down, right = pixels * (1 - 2 * (direction // 2)), pixels * (1 - 2 * (direction % 2))
        chosen = directions == direction
        moved[chosen] = _resample(images[chosen], rows - down, columns - right, limits[0])
    return moved


def _rotate(
    images: Floats, amount: float, limits: tuple[float, float], random: np.random.Generator
) -> npt.NDArray[Any]:
    rows, columns = np.indices(images.shape[1:3], dtype=np.float64)
    middle = [(size - 1) / 2 for size in images.shape[1:3]]
    y, x = rows - middle[0], columns - middle[1]
    directions = random.integers(2, size=len(images))
    rotated = np.empty_like(images)
    for direction, sign in enumerate((1, -1)):
        sine, cosine = np.sin(np.deg2rad(sign * amount)), np.cos(np.deg2rad(amount))
        chosen = directions == direction
        rotated[chosen] = _resample(
            images[chosen],
            cosine * y + sine * x + middle[0],
            cosine * x - sine * y + middle[1],
            limits[0],
        )
    return rotated


def _resample(
    images: Floats, rows: npt.NDArray[np.float64], columns: npt.NDArray[np.float64], outside: float
) -> npt.NDArray[Any]:
    """Return the values of `images` at places between pixels, (height, width) each, interpolated linearly."""
    height, width = images.shape[1:3]
    framed = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=outside)
    rows, columns = np.clip(rows + 1, 0, height + 1), np.clip(columns + 1, 0, width + 1)
    top = np.minimum(rows.astype(np.int64), height)
    left = np.minimum(columns.astype(np.int64), width)
    down, right = (part[..., None].astype(np.float32) for part in (rows - top, columns - left))
    upper = framed[:, top, left] * (1 - right) + framed[:, top, left + 1] * right
    lower = framed[:, top + 1, left] * (1 - right) + framed[:, top + 1, left + 1] * right
    resampled: npt.NDArray[Any] = upper * (1 - down) + lower * down
    return resampled


SHIFTS: Mapping[str, Shift] = {
    "noise": Shift(
        meaning="SD of Gaussian noise on each value, as a fraction of the range of values",
        amounts=(0.04, 0.08, 0.12, 0.18, 0.26),
        apply=_add_noise,
    ),
    "blur": Shift(
        meaning=f"SD of a Gaussian kernel, in pixels of an image of {SIDE} x {SIDE}",
        amounts=(0.5, 0.8, 1.1, 1.5, 2.0),
        apply=_blur,
    ),
    "contrast": Shift(
        meaning="Factor on the distance of each value from the mean of its image and channel",
        amounts=(0.75, 0.5, 0.35, 0.25, 0.15),
        apply=_lower_contrast,
    ),
    "translation": Shift(
        meaning=f"Distance along both sides, in pixels of an image of {SIDE} x {SIDE}, in one of the four"
        " diagonal directions; what moves in has the lowest value",
        amounts=(1, 2, 3, 4, 6),
        apply=_translate,
    ),
    "rotation": Shift(
        meaning="Angle around the middle in degrees, to the left or to the right; what turns in has the"
        " lowest value",
        amounts=(5, 10, 15, 20, 30),
        apply=_rotate,
    ),
}
"""All shifts by name."""
