"""Training steps of the fast engine, compiled once for all runs of a process that differ in values only.

Weights, data, rates and seeds are inputs of the compiled functions. What remains is a `Layout`: runs with
other seeds, rates above zero, schedules or datasets use the functions that the first of them compiled.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from dropout_lab.training.engines.adam import AdamConstants, AdamState, apply_adam
from dropout_lab.training.engines.backpropagation import Backpropagation
from dropout_lab.training.engines.masks import DropoutInSteps, LayerDropout
from dropout_lab.training.engines.observation import MAX_EXAMPLES, NUM_STEPS, probe_images, probe_weights
from dropout_lab.training.engines.tracing import TracedOnce, fold

PADDING = 1
MOST_LAYOUTS = 16
"""Layouts whose functions are kept; each takes some megabytes."""

Dropout = Sequence[DropoutInSteps | None]
DropoutNow = Sequence[LayerDropout | None]


@dataclass(frozen=True)
class Layout:
    """What the compiled functions depend on.

    Attributes:
        weight_shapes: Shapes of the kernel and bias of each layer, from the input on.
        drop_first: Whether dropout precedes pooling.
        drops: Whether each block drops anything in any step.
        factor_dtype: See `Backpropagation`.
        num_shards, shard_size: Parts of a batch, and the examples in each.
        adam: Constants of the optimizer.
    """

    weight_shapes: tuple[tuple[int, ...], ...]
    drop_first: bool
    drops: tuple[bool, ...]
    factor_dtype: str
    num_shards: int
    shard_size: int
    adam: AdamConstants


class Examples(NamedTuple):
    """The training set: (num_examples, 30, 30) of uint8, padded, and (num_examples,) of int32."""

    images: tf.Tensor
    labels: tf.Tensor


class CompiledSteps:
    """Training steps for one layout.

    Args:
        layout: The layout.

    Attributes:
        train: Trains on batches (num_steps, num_shards, shard_size), and returns the sum of the losses and
            the number of correct examples.
        gradients: Returns the sum and the number of the first of such batches, and the gradients of its mean
            loss.
        observe: Returns where the output of each block is above zero, in `NUM_STEPS` steps with weights that
            show it.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._backpropagation = Backpropagation(
            drop_first=layout.drop_first, factor_dtype=layout.factor_dtype
        )
        self.train = TracedOnce(self._train)
        self.gradients = TracedOnce(self._gradients)
        self.observe = TracedOnce(self._observe)

    def _train(
        self,
        state: AdamState,
        examples: Examples,
        dropout: Dropout,
        batches: tf.Tensor,
        num_examples: tf.Tensor,
        first_step: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Train on batches of which the first `num_examples` count, from step number `first_step` on."""

        def one(i: tf.Tensor, step: tf.Tensor, sums: tf.Tensor) -> tf.Tensor:
            step_sums, gradients = self._mean_gradients(
                state, examples, _at(i, dropout), batches[i], num_examples, step
            )
            apply_adam(state, self._layout.adam, gradients)
            return sums + tf.cast(step_sums, tf.float64)

        sums = fold(one, tf.zeros(2, tf.float64), tf.shape(batches, tf.int64)[0], first_step)
        return sums[0], sums[1]

    def _gradients(
        self,
        state: AdamState,
        examples: Examples,
        dropout: Dropout,
        batches: tf.Tensor,
        num_examples: tf.Tensor,
        step: tf.Tensor,
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        return self._mean_gradients(state, examples, _at(0, dropout), batches[0], num_examples, step)

    def _observe(self, dropout: Dropout, num_examples: tf.Tensor, first_step: tf.Tensor) -> list[tf.Tensor]:
        images = padded(probe_images(self._layout.num_shards * self._layout.shard_size))
        shards = [
            (tf.constant(part), tf.zeros(len(part), tf.int32))
            for part in np.split(images, self._layout.num_shards)
        ]
        weights = probe_weights(self._layout.weight_shapes)

        def one(i: tf.Tensor, step: tf.Tensor, found: list[tf.TensorArray]) -> list[tf.TensorArray]:
            _, outputs = self._batch(weights, shards, _at(i, dropout), num_examples, step)
            seen = tf.minimum(num_examples, MAX_EXAMPLES)
            return [
                array.write(tf.cast(i, tf.int32), tf.concat(parts, axis=0)[:seen] > 0)
                for array, parts in zip(found, outputs, strict=True)
            ]

        arrays = [tf.TensorArray(tf.bool, NUM_STEPS, infer_shape=False) for _ in dropout]
        found = fold(one, arrays, tf.constant(NUM_STEPS, tf.int64), first_step)
        return [array.stack() for array in found]

    def _mean_gradients(
        self,
        state: AdamState,
        examples: Examples,
        dropout: DropoutNow,
        batch: tf.Tensor,
        num_examples: tf.Tensor,
        step: tf.Tensor,
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Return [sum of losses, number correct] of one batch and the gradients of the mean loss."""
        (sums, *gradients), _ = self._batch(
            [weight.read_value() for weight in state.weights],
            [(tf.gather(examples.images, one), tf.gather(examples.labels, one)) for one in tf.unstack(batch)],
            dropout,
            num_examples,
            step,
        )
        return sums, gradients

    def _batch(
        self,
        weights: list[tf.Tensor],
        shards: list[tuple[tf.Tensor, tf.Tensor]],
        dropout: DropoutNow,
        num_examples: tf.Tensor,
        step: tf.Tensor,
    ) -> tuple[list[tf.Tensor], list[tuple[tf.Tensor, ...]]]:
        """Return what `Backpropagation.gradients` does for the (images, labels) of the shards of a batch.

        Args:
            weights: Kernel and bias of each layer.
            shards: Images and labels of each shard, of which the first `num_examples` count.
            dropout: Dropout of each block.
            num_examples: Number of examples in the batch.
            step: Number of the training step.

        Returns:
            The sums and gradients of the batch, and the outputs of each block, one per shard.
        """
        size = self._layout.shard_size
        parts = [
            self._backpropagation.gradients(
                weights,
                images,
                labels,
                tf.cast(tf.range(number * size, (number + 1) * size) < num_examples, tf.float32),
                tf.cast(num_examples, tf.float32),
                step,
                number * size,
                dropout,
            )
            for number, (images, labels) in enumerate(shards)
        ]
        sums, outputs = (list(zip(*part, strict=True)) for part in zip(*parts, strict=True))
        return [tf.add_n(part) for part in sums], outputs


def _at(i: tf.Tensor | int, dropout: Dropout) -> DropoutNow:
    """Return the dropout of each block in the step of number `i` in this call, from 0."""
    return [None if one is None else one.at(i) for one in dropout]


@functools.lru_cache(MOST_LAYOUTS)
def compiled_steps(layout: Layout) -> CompiledSteps:
    """Return the compiled steps for `layout`, the same at each call."""
    return CompiledSteps(layout)


def padded(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return images (num_examples, height, width) with a border of zeros."""
    return np.pad(images, ((0, 0), (PADDING, PADDING), (PADDING, PADDING)))
