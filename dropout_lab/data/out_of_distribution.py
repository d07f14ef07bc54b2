"""Inputs from outside the distribution of a dataset of images, made here or shipped by scikit-learn.

Two of the sets are made from the test images themselves, and are named so.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from dropout_lab.data.dataset import Inputs
from dropout_lab.data.digits import load_data
from dropout_lab.data.images import as_stored, require_images, value_range
from dropout_lab.errors import UsageError, did_you_mean
from dropout_lab.seeds import generator

MOST_INPUTS = 2_000
"""Inputs of a set; sets made from the test images take every k-th of these."""


@dataclass(frozen=True, kw_only=True)
class OutOfDistribution:
    """One set of inputs.

    Attributes:
        meaning: What the inputs are.
        make: Returns them from test images, the lowest and highest value that these can have, and random
            numbers.
        in_distribution_for: Names of datasets of the same classes, for which the set means nothing.
    """

    meaning: str
    make: Callable[[Inputs, tuple[float, float], np.random.Generator], Inputs]
    in_distribution_for: tuple[str, ...] = ()


def out_of_distribution(test_images: Inputs, name: str, *, seed: int = 0) -> Inputs:
    """Return the inputs of the set called `name`; equal arguments give equal inputs.

    Args:
        test_images: (n, height, width, channels), stored values.
        name: A key of `OUT_OF_DISTRIBUTION`.
        seed: Seed of the random numbers.

    Returns:
        (m, height, width, channels) in the dtype of `test_images`, of at most `MOST_INPUTS` inputs.

    Raises:
        UsageError: If there is no such set.
        DataError: If the test inputs are no images.
    """
    if name not in OUT_OF_DISTRIBUTION:
        raise UsageError(
            f"Unknown out-of-distribution set {name!r}{did_you_mean(name, OUT_OF_DISTRIBUTION)}"
            f" (allowed: {', '.join(OUT_OF_DISTRIBUTION)})"
        )
    require_images(test_images, f"out-of-distribution set {name!r}")
    count = min(len(test_images), MOST_INPUTS)
    chosen = np.arange(count) * len(test_images) // count
    limits = value_range(test_images)
    random = generator(seed, "out of distribution", name)
    return OUT_OF_DISTRIBUTION[name].make(test_images[chosen], limits, random)


def _digits(test_images: Inputs, limits: tuple[float, float], _: np.random.Generator) -> Inputs:
    from scipy.ndimage import zoom

    height, width, channels = test_images.shape[1:]
    images, _labels = load_data()
    factors = (1, height / images.shape[1], width / images.shape[2], 1)
    resized = zoom(images, factors, order=1, mode="nearest", grid_mode=True)
    low, high = limits
    return as_stored(low + (high - low) * resized.repeat(channels, axis=3), test_images.dtype, low, high)


def _uniform(test_images: Inputs, limits: tuple[float, float], random: np.random.Generator) -> Inputs:
    low, high = limits
    noise = random.random(test_images.shape, dtype=np.float32)
    return as_stored(low + (high - low) * noise, test_images.dtype, low, high)


def _inverted(test_images: Inputs, limits: tuple[float, float], _: np.random.Generator) -> Inputs:
    low, high = limits
    return as_stored(low + high - test_images.astype(np.float32), test_images.dtype, low, high)


def _shuffled(test_images: Inputs, _: tuple[float, float], random: np.random.Generator) -> Inputs:
    num_images, height, width, channels = test_images.shape
    pixels = test_images.reshape(num_images, height * width, channels)
    order = random.random((num_images, height * width), dtype=np.float32).argsort(axis=1)
    return np.take_along_axis(pixels, order[..., None], axis=1).reshape(test_images.shape)


OUT_OF_DISTRIBUTION: Mapping[str, OutOfDistribution] = {
    "digits": OutOfDistribution(
        meaning="The 1,797 handwritten digits of scikit-learn, resized linearly to the size of the test"
        " images, and with the same value in every channel",
        make=_digits,
        in_distribution_for=("digits", "mnist"),
    ),
    "uniform": OutOfDistribution(
        meaning="Noise: every value is drawn uniformly from the range of values", make=_uniform
    ),
    "inverted_test": OutOfDistribution(
        meaning="The test images with low and high values exchanged, as in a negative", make=_inverted
    ),
    "shuffled_test": OutOfDistribution(
        meaning="The test images with their pixels in random order, another one for each image",
        make=_shuffled,
    ),
}
"""All sets by name."""
