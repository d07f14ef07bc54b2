"""Training steps of the published network and its relatives on a CPU, near the speed of its matrix products.

The network is the one that `build_model` builds; this engine trains that model's own variables, and its
optimizer's own, so that engines can be exchanged between any two calls. It differs from stock layers in how
the same gradients come about: the backward pass is written out, everything between two matrix products is
one compiled pass over memory (`blocks`), masks are hashed there rather than stored (`masks`), and a batch is
split into shards that run at the same time, because a compiled block runs on one thread.
"""

import functools
import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from dropout_lab.data.dataset import Inputs, Labels
from dropout_lab.models.inspection import dropout_layers
from dropout_lab.records import IntArray
from dropout_lab.spec import ModelSpec, TrainingSpec
from dropout_lab.training.devices import num_threads
from dropout_lab.training.engines.adam import apply_adam
from dropout_lab.training.engines.network import Network
from dropout_lab.training.engines.observation import (
    MAX_EXAMPLES,
    NUM_STEPS,
    DropoutObservation,
    probe_images,
    probe_weights,
    read_probe,
)
from dropout_lab.training.processor import slow_bfloat16

EXAMPLES_A_SHARD = 50
"""A batch is split among the threads, but no further than this."""

PADDING = 1


def unsupported_reason(
    model: ModelSpec,
    training: TrainingSpec,
    device: str,
) -> str | None:
    """Return why `FastEngine` cannot train with these settings, or None if it can.

    Args:
        model: The network.
        training: How it is trained.
        device: As TensorFlow names it, such as ``/CPU:0``.
    """
    if "CPU" not in device.upper():
        return f"the fast engine supports CPUs only (device: {device})"
    if model.network != "published":
        return f"the fast engine supports the published network only (model.network: {model.network})"
    if training.optimizer != "adam":
        return f"the fast engine supports the optimizer adam only (optimizer: {training.optimizer})"
    if training.precision == "mixed_float16":
        return "the fast engine supports float32 and mixed_bfloat16 only (precision: mixed_float16)"
    if training.precision == "mixed_bfloat16" and (reason := slow_bfloat16()):
        return f"the fast engine {reason}"
    return None


class FastEngine:
    """Trains a model of `build_model` with compiled blocks and a backward pass written out.

    Args:
        model: The built model; its variables are trained in place, and its dtype policy decides the
            precision of the products.
        optimizer: Built for the model's trainable variables; its variables are updated in place.
        model_spec: What `model` was built from.
        images: (num_examples, 28, 28, 1) of uint8.
        labels: (num_examples,) of class numbers.
        run_seed: Seed of the run, from which the masks' seeds are derived.
        batch_size: Size of every batch except the last of an epoch, which may be smaller.
    """

    name = "fast"

    def __init__(
        self,
        model: keras.Model,
        optimizer: keras.optimizers.Adam,
        model_spec: ModelSpec,
        images: Inputs,
        labels: Labels,
        run_seed: int,
        batch_size: int,
    ) -> None:
        self._num_shards = max(1, min(num_threads(), batch_size // EXAMPLES_A_SHARD))
        self._shard_size = math.ceil(batch_size / self._num_shards)
        self._dropout_names = [layer.name for layer in dropout_layers(model)]
        self._network = Network(
            dropout_layers(model),
            drop_first=model_spec.dropout_position == "before_pooling",
            run_seed=run_seed,
            factor_dtype=model.get_layer("conv2d_1").compute_dtype,
        )
        self._optimizer = optimizer
        self._weights = [variable.value for variable in model.trainable_variables]
        self._images = tf.constant(_padded(images[..., 0]))
        self._labels = tf.constant(labels.astype(np.int32))
        batch = tf.TensorSpec((self._num_shards, self._shard_size), tf.int32)
        batches = tf.TensorSpec((None, *batch.shape), tf.int32)
        numbers = [tf.TensorSpec((), tf.int32), tf.TensorSpec((), tf.int64)]
        compiled = functools.partial(tf.function, autograph=False)
        self._run = compiled(self._steps, input_signature=[batches, *numbers])
        self._gradients = compiled(self._mean_gradients, input_signature=[batch, *numbers])
        self._observe = compiled(self._observed_steps, input_signature=numbers)

    def run(self, batches: IntArray, first_step: int) -> tuple[float, float]:
        """See `Engine.run`."""
        loss, num_correct = self._run(self._shards(batches), batches.shape[1], first_step)
        return float(loss), float(num_correct)

    def observe_dropout(self, first_step: int) -> list[DropoutObservation]:
        """See `Engine.observe_dropout`.

        The steps are those of training, with probe weights and images in place of the network's: with them
        it is known which elements are above zero before dropout.
        """
        num_examples = min(len(self._labels), self._num_shards * self._shard_size)
        return read_probe(
            self._dropout_names, *(kept.numpy() for kept in self._observe(num_examples, first_step))
        )

    def gradients(self, batch: IntArray, step: int) -> tuple[float, list[npt.NDArray[np.float32]]]:
        """Return the mean loss of one batch and its gradients by the trainable variables.

        Args:
            batch: (batch_size,) indices into the training set.
            step: Number of the training step, which decides the masks.
        """
        sums, gradients = self._gradients(self._shards(batch[np.newaxis])[0], len(batch), step)
        return float(sums[0]) / len(batch), [gradient.numpy() for gradient in gradients]

    def _shards(self, batches: IntArray) -> npt.NDArray[np.int32]:
        """Split batches into shards, the last of them filled up with examples that will not be counted."""
        num_missing = self._num_shards * self._shard_size - batches.shape[1]
        filled = np.pad(batches.astype(np.int32), ((0, 0), (0, num_missing)))
        return filled.reshape(len(batches), self._num_shards, self._shard_size)

    def _steps(
        self, batches: tf.Tensor, num_examples: tf.Tensor, first_step: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Train on batches (num_steps, num_shards, shard_size) of which the first `num_examples` count."""

        def train(i: tf.Tensor, step: tf.Tensor, sums: tf.Tensor) -> tf.Tensor:
            step_sums, gradients = self._mean_gradients(batches[i], num_examples, step)
            apply_adam(self._optimizer, self._weights, gradients)
            return sums + tf.cast(step_sums, tf.float64)

        sums = _fold(train, tf.zeros(2, tf.float64), tf.shape(batches, tf.int64)[0], first_step)
        return sums[0], sums[1]

    def _observed_steps(self, num_examples: tf.Tensor, first_step: tf.Tensor) -> list[tf.Tensor]:
        """Return where the output of each block is above zero, in `NUM_STEPS` steps with probe weights."""
        images = _padded(probe_images(self._num_shards * self._shard_size))
        shards = [
            (tf.constant(part), tf.zeros(len(part), tf.int32)) for part in np.split(images, self._num_shards)
        ]
        weights = probe_weights([tuple(weight.shape) for weight in self._weights])

        def observe(i: tf.Tensor, step: tf.Tensor, found: list[tf.TensorArray]) -> list[tf.TensorArray]:
            _, outputs = self._batch(weights, shards, num_examples, step)
            seen = tf.minimum(num_examples, MAX_EXAMPLES)
            return [
                array.write(tf.cast(i, tf.int32), tf.concat(parts, axis=0)[:seen] > 0)
                for array, parts in zip(found, outputs, strict=True)
            ]

        arrays = [tf.TensorArray(tf.bool, NUM_STEPS, infer_shape=False) for _ in self._dropout_names]
        found = _fold(observe, arrays, tf.constant(NUM_STEPS, tf.int64), first_step)
        return [array.stack() for array in found]

    def _mean_gradients(
        self, shards: tf.Tensor, num_examples: tf.Tensor, step: tf.Tensor
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Return [sum of losses, number correct] of one batch and the gradients of the mean loss."""
        (sums, *gradients), _ = self._batch(
            [weight.read_value() for weight in self._weights],
            [(tf.gather(self._images, one), tf.gather(self._labels, one)) for one in tf.unstack(shards)],
            num_examples,
            step,
        )
        return sums, gradients

    def _batch(
        self,
        weights: list[tf.Tensor],
        shards: list[tuple[tf.Tensor, tf.Tensor]],
        num_examples: tf.Tensor,
        step: tf.Tensor,
    ) -> tuple[list[tf.Tensor], list[tuple[tf.Tensor, ...]]]:
        """Return what `Network.gradients` does for the (images, labels) of the shards of a batch.

        Args:
            weights: Kernel and bias of each layer.
            shards: Images and labels of each shard, of which the first `num_examples` count.
            num_examples: Number of examples in the batch.
            step: Number of the training step.

        Returns:
            The sums and gradients of the batch, and the outputs of each block, one per shard.
        """
        size = self._shard_size
        parts = [
            self._network.gradients(
                weights,
                images,
                labels,
                tf.cast(tf.range(number * size, (number + 1) * size) < num_examples, tf.float32),
                tf.cast(num_examples, tf.float32),
                step,
                number * size,
            )
            for number, (images, labels) in enumerate(shards)
        ]
        sums, outputs = (list(zip(*part, strict=True)) for part in zip(*parts, strict=True))
        return [tf.add_n(part) for part in sums], outputs


def _fold(
    body: Callable[[tf.Tensor, tf.Tensor, Any], Any], start: Any, num_steps: tf.Tensor, first_step: tf.Tensor
) -> Any:
    """Return what `body` makes of `start` in consecutive steps.

    Args:
        body: From the number of the step here, from 0, its number in the whole training, and the result so
            far to the next result.
        start: Result before the first step.
        num_steps: Number of steps.
        first_step: Number of the first one in the whole training.
    """

    def one(i: tf.Tensor, result: Any) -> tuple[tf.Tensor, Any]:
        return i + 1, body(i, first_step + i, result)

    first = tf.constant(0, tf.int64)
    return tf.while_loop(lambda i, _: i < num_steps, one, (first, start), parallel_iterations=1)[1]


def _padded(images: Inputs) -> npt.NDArray[np.uint8]:
    return np.pad(images, ((0, 0), (PADDING, PADDING), (PADDING, PADDING)))
