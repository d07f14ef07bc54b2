"""Dropout masks as a function of (run seed, layer, step, example, element) and of nothing else.

A resumed or re-sharded run therefore draws the masks that it would have drawn. Random bits come from a
counter-based generator: hash(key, counter), with the key of the (seed, step, example) and the number of the
element as the counter. All integer operations are modulo 2**32, so masks are the same on every machine.

One 32-bit word serves four elements: the four that compete in a 2x2 pooling window. Element j's random
number has 16 bits, its high byte being byte j of the word, its low byte shared by the four; the element is
dropped where the number is below ``threshold(rate)``. Each is dropped with probability threshold / 65536,
and the shared byte hardly correlates two elements: it counts only where both of their own bytes equal the
threshold's high byte, which has the probability 2**-16.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from dropout_lab.seeds import derive_seed

WINDOW = 2
"""Side of a pooling window: its four elements share a word."""

GOLDEN = np.uint32(0x9E3779B1)
"""An odd number near 2**32 / golden ratio: multiples of it spread evenly over the 32-bit numbers."""


class LayerDropout(NamedTuple):
    """Dropout of one layer in one step, as scalars.

    Attributes:
        seed: uint32, ``derive_seed(run_seed, "mask", layer_name)``.
        threshold: uint32, see `threshold`.
        scale: float32, see `keep_scale`.
    """

    seed: tf.Tensor
    threshold: tf.Tensor
    scale: tf.Tensor


class DropoutInSteps(NamedTuple):
    """Dropout of one layer in consecutive steps, which compiled steps read: changing it compiles nothing.

    A layer that never drops is None instead, because a step without masks is another, faster one.

    Attributes:
        seed: As in `LayerDropout`.
        thresholds, scales: (num_steps,), as in `LayerDropout`.
    """

    seed: tf.Tensor
    thresholds: tf.Tensor
    scales: tf.Tensor

    def at(self, i: tf.Tensor | int) -> LayerDropout:
        """Return the dropout in the step of number `i` here, from 0."""
        return LayerDropout(self.seed, self.thresholds[i], self.scales[i])


class Mask(NamedTuple):
    """What decides which elements of one layer are dropped in one step.

    Attributes:
        keys: (num_examples, 2) of uint32, from `example_keys`.
        threshold, scale: As in `LayerDropout`.
    """

    keys: tf.Tensor
    threshold: tf.Tensor
    scale: tf.Tensor


def dropout_in_steps(run_seed: int, layer_name: str, rates: Iterable[float]) -> DropoutInSteps:
    """Return the dropout of a layer in the run of `run_seed`, with its rates in consecutive steps."""
    rates = list(rates)
    return DropoutInSteps(
        tf.constant(derive_seed(run_seed, "mask", layer_name), tf.uint32),
        tf.constant([threshold(rate) for rate in rates], tf.uint32),
        tf.constant([keep_scale(rate) for rate in rates], tf.float32),
    )


def mask_of(
    dropout: LayerDropout | None, step: tf.Tensor, first_example: int, num_examples: int
) -> Mask | None:
    """Return the mask of a layer for consecutive examples of the batch of `step`; see `example_keys`."""
    if dropout is None:
        return None
    keys = example_keys(dropout.seed, step, first_example, num_examples)
    return Mask(keys, dropout.threshold, dropout.scale)


def threshold(rate: float) -> int:
    """Return how many of the 65,536 random numbers drop an element: round(rate * 65536), at most 65,535."""
    return min(round(rate * 65536), 65535)


def true_rate(rate: float) -> float:
    """Return the probability that an element is dropped, within 1/65536 of the `rate` asked for."""
    return threshold(rate) / 65536


def keep_scale(rate: float) -> float:
    """Return 1 / (1 - true rate), which keeps the mean of what dropout leaves."""
    return 1 / (1 - true_rate(rate))


def _mix(x: tf.Tensor, key: tf.Tensor | int = 0) -> tf.Tensor:
    """Hash 32-bit numbers one to one, so that each bit of the result depends on every bit of `x`.

    The constants are the "lowbias32" of C. Wellons' hash prospector (nullprogram.com/blog/2018/07/31);
    `key` enters half-way.
    """
    x = (x ^ _shift_right(x, 16)) * np.uint32(0x7FEB352D)
    x = ((x ^ _shift_right(x, 15)) + key) * np.uint32(0x846CA68B)
    return x ^ _shift_right(x, 16)


def _shift_right(x: tf.Tensor, count: int) -> tf.Tensor:
    return tf.bitwise.right_shift(x, np.uint32(count))


def example_keys(
    layer_seed: tf.Tensor | int, step: tf.Tensor, first_example: int, num_examples: int
) -> tf.Tensor:
    """Return the (num_examples, 2) uint32 keys of a layer for consecutive examples of the batch of `step`.

    Args:
        layer_seed: Scalar uint32, ``derive_seed(run_seed, "mask", layer_name)``.
        step: Scalar int64, counted from 0 over the whole training.
        first_example: Position of the first example in the batch.
        num_examples: Number of examples.
    """
    example = tf.constant(np.arange(first_example, first_example + num_examples, dtype=np.uint32))
    first, second = step_keys(layer_seed, step)
    first_key = _mix(example * GOLDEN ^ first)
    return tf.stack([first_key, _mix(first_key, second)], axis=1)


def step_keys(layer_seed: tf.Tensor | int, step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return two uint32 keys of a layer in one step.

    Two words, because (seed, step) pairs outnumber what one can tell apart: given the first, the second is
    one to one with the step, and given the step, the first is one to one with the seed.

    Args:
        layer_seed: Scalar uint32.
        step: Scalar integer.
    """
    step = tf.cast(step, tf.uint32)
    first = _mix(step, tf.cast(layer_seed, tf.uint32))
    return first, _mix(step, first)


def random_words(keys: tf.Tensor, shape: tuple[int, ...]) -> tf.Tensor:
    """Return (num_examples, *shape) random uint32, one for each pooling window and channel.

    Args:
        keys: Keys from `example_keys`.
        shape: (height, width, channels) after pooling, or (units,).
    """
    # The counter is the sum of a number for the place and one for the channel, so that a compiler sees
    # consecutive counters along the channels and none to divide.
    *places, channels = shape
    place = np.arange(np.prod(places, dtype=int), dtype=np.uint32).reshape(*places, 1) * np.uint32(channels)
    counter = tf.constant(place) + tf.constant(np.arange(channels, dtype=np.uint32))
    first_key, second_key = (tf.reshape(keys[:, i], (-1, *(1 for _ in shape))) for i in range(2))
    return hashed(counter, first_key, second_key)


def hashed(counter: tf.Tensor, first_key: tf.Tensor, second_key: tf.Tensor) -> tf.Tensor:
    """Return a random uint32 for each number of `counter`; the keys are broadcast to it."""
    return _mix(counter * GOLDEN ^ first_key, second_key)


def kept(words: tf.Tensor, element: int, threshold: tf.Tensor | int) -> tf.Tensor:
    """Return which elements dropout keeps, as booleans in the shape of `words`.

    Args:
        words: Words from `random_words`.
        element: Element of each window, 0 to 3, row by row.
        threshold: Scalar uint32: how many of the 65,536 random numbers drop an element.
    """
    threshold = tf.cast(threshold, tf.uint32)
    high, low = _shift_right(threshold, 8), threshold & np.uint32(255)
    own_byte = _shift_right(words, 8 * element) & np.uint32(255)
    shared_byte = _shift_right(words * GOLDEN, 24)
    # own_byte * 256 + shared_byte >= high * 256 + low
    return own_byte >= high + tf.cast(shared_byte < low, tf.uint32)


def keep_mask(
    run_seed: int,
    layer_name: str,
    rate: float,
    step: int,
    shape: tuple[int, ...],
    *,
    before_pooling: bool,
) -> npt.NDArray[np.bool_]:
    """Return the mask of one layer in the shape of the layer, as the engine draws it inside its kernels.

    Args:
        run_seed: Seed of the run.
        layer_name: Name of the Dropout layer.
        rate: Dropout rate of the layer.
        step: Number of the training step, from 0.
        shape: (num_examples, height, width, channels) or (num_examples, units).
        before_pooling: Whether 2x2 pooling follows, so that windows share words.

    Returns:
        True where an element is kept.
    """
    num_examples, *rest = shape
    layer_seed = derive_seed(run_seed, "mask", layer_name)
    keys = example_keys(layer_seed, tf.constant(step, tf.int64), 0, num_examples)
    if not before_pooling:
        mask: npt.NDArray[np.bool_] = kept(random_words(keys, tuple(rest)), 0, threshold(rate)).numpy()
        return mask
    height, width, channels = rest
    words = random_words(keys, (height // WINDOW, width // WINDOW, channels))
    mask = np.ones(shape, dtype=bool)
    for element in range(WINDOW * WINDOW):
        row, column = divmod(element, WINDOW)
        mask[:, row::WINDOW, column::WINDOW] = kept(words, element, threshold(rate)).numpy()
    return mask
