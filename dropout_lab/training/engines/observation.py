"""Which elements a training step drops, read from its outputs."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from dropout_lab.training.engines.masks import WINDOW

BoolArray = npt.NDArray[np.bool_]

MAX_EXAMPLES = 200
NUM_STEPS = 2
"""Consecutive steps that are observed, to see that masks change."""


@dataclass(frozen=True)
class DropoutObservation:
    """Elements of one Dropout layer in consecutive training steps.

    Attributes:
        layer: Name of the layer.
        examined: (num_steps, num_examples, ...), elements that are not zero before dropout. Of the others
            nobody can see whether they are dropped. A channel of spatial dropout is one element.
        kept: Elements that are not zero after dropout, in the same shape.
        resolution: Largest distance of the probability to drop from the rate, which the random numbers
            have from their precision.
        num_split: Elements that are dropped in part, such as channels with some values dropped.
    """

    layer: str
    examined: BoolArray
    kept: BoolArray
    resolution: float = 2**-16
    num_split: int = 0

    @cached_property
    def num_examined(self) -> int:
        """Number of elements that show whether they are dropped."""
        return int(np.count_nonzero(self.examined))

    @cached_property
    def num_dropped(self) -> int:
        """Number of them that are dropped."""
        return int(np.count_nonzero(self.examined & ~self.kept))


def probe_images(num_examples: int) -> npt.NDArray[np.uint8]:
    """Return (num_examples, 28, 28) images of black and white pixels that show single elements of windows.

    In image i, element j = i % 4 of each pooling window is lit, in those windows that are themselves
    element j of their window in the next layer.
    """
    number = np.arange(num_examples)[:, None, None] % WINDOW**2
    row, column = number // WINDOW, number % WINDOW
    y, x = np.arange(28)[:, None], np.arange(28)
    lit = (y % WINDOW == row) & (x % WINDOW == column)
    lit &= (y // WINDOW % WINDOW == row) & (x // WINDOW % WINDOW == column)
    return np.where(lit, 255, 0).astype(np.uint8)


def probe_weights(shapes: Sequence[tuple[int, ...]]) -> list[tf.Tensor]:
    """Return weights of those shapes (kernel and bias of each layer) with which probe images show the masks.

    Both convolutions copy their input, the second one the sum of all its channels, less a bias that puts
    all but lit elements below zero. The hidden layer is 1 before dropout.
    """
    kernel1, bias1, kernel2, bias2, kernel3, bias3, kernel4, bias4 = shapes

    def copying(shape: tuple[int, ...]) -> tf.Tensor:
        return tf.pad(tf.ones((1, 1, *shape[2:])), ((1, 1), (1, 1), (0, 0), (0, 0)))

    return [
        copying(kernel1),
        tf.fill(bias1, -0.5),
        copying(kernel2),
        tf.fill(bias2, -0.25),
        tf.zeros(kernel3),
        tf.ones(bias3),
        tf.zeros(kernel4),
        tf.zeros(bias4),
    ]


def read_probe(
    names: list[str], kept1: BoolArray, kept2: BoolArray, hidden: BoolArray
) -> list[DropoutObservation]:
    """Return what the outputs of a network with probe weights and images show.

    Args:
        names: Names of the three Dropout layers.
        kept1: (num_steps, num_examples, 14, 14, filters), where the first block's output is above zero.
        kept2: (num_steps, num_examples, 7, 7, filters), the same of the second.
        hidden: (num_steps, num_examples, units), the same of the third.
    """
    lit1 = _windows_with(probe_images(kept1.shape[1]) > 0)
    # An element is lit in the second layer if one channel of the first is kept there.
    lit2 = _windows_with(lit1 & kept1.any(axis=-1))
    everywhere = np.ones((1, 1, 1), bool)
    return [
        DropoutObservation(name, np.broadcast_to(examined, kept.shape), kept)
        for name, examined, kept in zip(
            names, (lit1[None, ..., None], lit2[..., None], everywhere), (kept1, kept2, hidden), strict=True
        )
    ]


def _windows_with(elements: BoolArray) -> BoolArray:
    """Return which 2x2 windows of (..., height, width) have one of `elements`."""
    *first, height, width = elements.shape
    windows = elements.reshape(*first, height // WINDOW, WINDOW, width // WINDOW, WINDOW)
    return np.asarray(windows.any(axis=(-3, -1)))
