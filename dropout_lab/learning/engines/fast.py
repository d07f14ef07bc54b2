"""Training steps of the published network and its relatives on a CPU, near the speed of its matrix products.

The network is the one that `build_model` builds; this engine trains that model's own variables, and its
optimizer's own, so that engines can be exchanged between any two calls. It differs from stock layers in how
the same gradients come about: the backward pass is written out, everything between two matrix products is
one compiled pass over memory (`blocks`), masks are hashed there rather than stored (`masks`), and a batch is
split into shards that run at the same time, because a compiled block runs on one thread.
"""

import functools
import math

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from dropout_lab.learning.devices import num_threads
from dropout_lab.learning.engines.masks import keep_mask
from dropout_lab.learning.engines.network import Network
from dropout_lab.learning.model import dropout_layers
from dropout_lab.records import IntArray
from dropout_lab.spec import ModelSpec, TrainingSpec

EXAMPLES_A_SHARD = 50
"""A batch is split among the threads, but no further than this."""

PADDING = 1


def unsupported_reason(
    model: ModelSpec,  # noqa: ARG001 - all that a spec can describe is supported
    training: TrainingSpec,
    device: str,
) -> str | None:
    """Return why `FastEngine` cannot train what is asked for, or None where it can.

    Args:
        model: The network; every one that the spec can describe is supported.
        training: How it is trained.
        device: As TensorFlow names it, such as ``/CPU:0``.
    """
    if "CPU" not in device.upper():
        return f"it runs on CPUs, not on {device}"
    if training.optimizer != "adam":
        return f"it has the optimizer adam, not {training.optimizer}"
    if training.precision != "float32":
        return f"it computes in float32, not in {training.precision}"
    return None


class FastEngine:
    """Trains a model of `build_model` with compiled blocks and a backward pass written out.

    Args:
        model: The built model; its variables are trained in place.
        optimizer: Built for the model's trainable variables; its variables are updated in place.
        model_spec: What `model` was built from.
        images: (num_examples, 28, 28) of uint8.
        labels: (num_examples,) of class numbers.
        run_seed: Seed of the run, from which the masks' seeds are derived.
        batch_size: Of every batch but the last of an epoch, which may be smaller.
    """

    name = "fast"

    def __init__(
        self,
        model: keras.Model,
        optimizer: keras.optimizers.Adam,
        model_spec: ModelSpec,
        images: npt.NDArray[np.uint8],
        labels: npt.NDArray[np.uint8],
        run_seed: int,
        batch_size: int,
    ) -> None:
        self._run_seed = run_seed
        self._num_shards = max(1, min(num_threads(), batch_size // EXAMPLES_A_SHARD))
        self._shard_size = math.ceil(batch_size / self._num_shards)
        self._network = Network(model_spec, [layer.name for layer in dropout_layers(model)], run_seed)
        self._dropout_layers = {layer.name: layer for layer in dropout_layers(model)}
        self._optimizer = optimizer
        self._weights = [variable.value for variable in model.trainable_variables]
        padding = ((0, 0), (PADDING, PADDING), (PADDING, PADDING))
        self._images = tf.constant(np.pad(images, padding))
        self._labels = tf.constant(labels.astype(np.int32))
        batch = tf.TensorSpec((self._num_shards, self._shard_size), tf.int32)
        batches = tf.TensorSpec((None, *batch.shape), tf.int32)
        numbers = [tf.TensorSpec((), tf.int32), tf.TensorSpec((), tf.int64)]
        compiled = functools.partial(tf.function, autograph=False)
        self._run = compiled(self._steps, input_signature=[batches, *numbers])
        self._gradients = compiled(self._batch_gradients, input_signature=[batch, *numbers])

    def run(self, batches: IntArray, first_step: int) -> tuple[float, float]:
        """See `Engine.run`."""
        loss, num_correct = self._run(self._shards(batches), batches.shape[1], first_step)
        return float(loss), float(num_correct)

    def keep_masks(self, step: int, num_examples: int) -> dict[str, npt.NDArray[np.bool_]]:
        """See `Engine.keep_masks`."""
        return {
            name: keep_mask(
                self._run_seed,
                name,
                layer.rate,
                step,
                (num_examples, *layer.input.shape[1:]),
                before_pooling=self._network.drop_first and len(layer.input.shape) == 4,
            )
            for name, layer in self._dropout_layers.items()
        }

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
        num_steps = tf.shape(batches, tf.int64)[0]

        def body(i: tf.Tensor, sums: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            step_sums, gradients = self._batch_gradients(batches[i], num_examples, first_step + i)
            self._apply_adam(gradients)
            return i + 1, sums + tf.cast(step_sums, tf.float64)

        start = (tf.constant(0, tf.int64), tf.zeros(2, tf.float64))
        _, sums = tf.while_loop(lambda i, _: i < num_steps, body, start, parallel_iterations=1)
        return sums[0], sums[1]

    def _batch_gradients(
        self, shards: tf.Tensor, num_examples: tf.Tensor, step: tf.Tensor
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Return [sum of losses, number correct] of one batch and the gradients of the mean loss."""
        weights = [weight.read_value() for weight in self._weights]
        results = []
        for i, shard in enumerate(tf.unstack(shards)):
            first = i * self._shard_size
            counts = tf.range(first, first + self._shard_size) < num_examples
            results.append(
                self._network.gradients(
                    weights,
                    tf.gather(self._images, shard),
                    tf.gather(self._labels, shard),
                    tf.cast(counts, tf.float32),
                    tf.cast(num_examples, tf.float32),
                    step,
                    first,
                )
            )
        sums, *gradients = (tf.add_n(parts) for parts in zip(*results, strict=True))
        return sums, gradients

    def _apply_adam(self, gradients: list[tf.Tensor]) -> None:
        """Update weights and moments as Keras' Adam does: Kingma and Ba (2015), before section 2.1.

        With t the number of the update from 1: m += (1 - beta_1)(g - m), v += (1 - beta_2)(g**2 - v),
        w -= learning_rate * sqrt(1 - beta_2**t) / (1 - beta_1**t) * m / (sqrt(v) + epsilon).
        """
        adam = self._optimizer
        t = tf.cast(adam.iterations.value, tf.float32) + 1
        beta1_power, beta2_power = tf.pow(adam.beta_1, t), tf.pow(adam.beta_2, t)
        for i, gradient in enumerate(gradients):
            tf.raw_ops.ResourceApplyAdam(
                var=self._weights[i].handle,
                m=adam._momentums[i].value.handle,
                v=adam._velocities[i].value.handle,
                beta1_power=beta1_power,
                beta2_power=beta2_power,
                lr=adam.learning_rate.value,
                beta1=adam.beta_1,
                beta2=adam.beta_2,
                epsilon=adam.epsilon,
                grad=gradient,
            )
        adam.iterations.value.assign_add(1)
