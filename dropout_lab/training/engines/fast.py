"""Training steps of the published network and its relatives on a CPU, near the speed of its matrix products.

The network is the one that `build_model` builds; this engine trains that model's own variables, and its
optimizer's own, so that engines can be exchanged between any two calls. It differs from stock layers in how
the same gradients come about: the backward pass is written out, everything between two matrix products is
one compiled pass over memory (`blocks`), masks are hashed there rather than stored (`masks`), and a batch is
split into shards that run at the same time, because a compiled block runs on one thread.
"""

import math
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from dropout_lab.data.dataset import Inputs, Labels
from dropout_lab.records import IntArray, device_kind
from dropout_lab.spec import ModelSpec, TrainingSpec
from dropout_lab.spec.engines import FAST_NETWORK, unsupported_setting
from dropout_lab.training.devices import num_threads
from dropout_lab.training.engines.adam import AdamConstants, AdamState
from dropout_lab.training.engines.compiled import Dropout, Examples, Layout, compiled_steps, padded
from dropout_lab.training.engines.masks import dropout_in_steps
from dropout_lab.training.engines.observation import NUM_STEPS, DropoutObservation, read_probe
from dropout_lab.training.processor import slow_bfloat16
from dropout_lab.training.rates import SiteRates

EXAMPLES_A_SHARD = 50
"""A batch is split among the threads, but no further than this."""


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
    if device_kind(device) != "CPU":
        return f"the fast engine supports CPUs only (device: {device})"
    if model.network != FAST_NETWORK:
        return f"the fast engine supports the published network only (model.network: {model.network})"
    if training.optimizer != "adam":
        return f"the fast engine supports the optimizer adam only (optimizer: {training.optimizer})"
    if reason := unsupported_setting(model, training):
        return reason
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
        rates: Rates in every step of its dropout layers, from the input on, by name.
    """

    name = "fast"
    variables: tuple[keras.Variable, ...] = ()

    def __init__(
        self,
        model: keras.Model,
        optimizer: keras.optimizers.Adam,
        model_spec: ModelSpec,
        images: Inputs,
        labels: Labels,
        run_seed: int,
        batch_size: int,
        rates: SiteRates,
    ) -> None:
        self._num_shards = max(1, min(num_threads(), batch_size // EXAMPLES_A_SHARD))
        self._shard_size = math.ceil(batch_size / self._num_shards)
        self._dropout_names = list(rates.full)
        self._run_seed = run_seed
        self._rates = rates
        self._state = AdamState.of(optimizer, model.trainable_variables)
        self._examples = Examples(tf.constant(padded(images[..., 0])), tf.constant(labels.astype(np.int32)))
        self._steps = compiled_steps(
            Layout(
                weight_shapes=tuple(tuple(weight.shape) for weight in self._state.weights),
                drop_first=model_spec.dropout_position == "before_pooling",
                drops=tuple(rates.full[name] > 0 for name in self._dropout_names),
                factor_dtype=model.get_layer("conv2d_1").compute_dtype,
                num_shards=self._num_shards,
                shard_size=self._shard_size,
                adam=AdamConstants.of(optimizer),
            )
        )

    def run(self, batches: IntArray, first_step: int) -> tuple[float, float]:
        """See `Engine.run`."""
        loss, num_correct = self._steps.train(*self._arguments(batches, first_step))
        return float(loss), float(num_correct)

    def observe_dropout(self, first_step: int) -> list[DropoutObservation]:
        """See `Engine.observe_dropout`.

        The steps are those of training, with probe weights and images in place of the network's: with them
        it is known which elements are above zero before dropout.
        """
        num_examples = min(len(self._examples.labels), self._num_shards * self._shard_size)
        found = self._steps.observe(
            self._dropout(first_step, NUM_STEPS), tf.constant(num_examples), tf.constant(first_step, tf.int64)
        )
        return read_probe(self._dropout_names, *(kept.numpy() for kept in found))

    def gradients(self, batch: IntArray, step: int) -> tuple[float, list[npt.NDArray[np.float32]]]:
        """Return the mean loss of one batch and its gradients by the trainable variables.

        Args:
            batch: (batch_size,) indices into the training set.
            step: Number of the training step, which decides the masks.
        """
        sums, gradients = self._steps.gradients(*self._arguments(batch[np.newaxis], step))
        return float(sums[0]) / len(batch), [gradient.numpy() for gradient in gradients]

    def _dropout(self, first_step: int, num_steps: int) -> Dropout:
        """Return the dropout of each layer in consecutive steps."""
        rates = self._rates.at(first_step, num_steps)
        return [
            dropout_in_steps(self._run_seed, name, rates[name]) if self._rates.full[name] > 0 else None
            for name in self._dropout_names
        ]

    def _arguments(self, batches: IntArray, first_step: int) -> tuple[Any, ...]:
        """Return the arguments of a compiled function.

        Batches are split into shards, the last of them filled up with examples that will not be counted.
        """
        num_examples = batches.shape[1]
        num_missing = self._num_shards * self._shard_size - num_examples
        filled = np.pad(batches.astype(np.int32), ((0, 0), (0, num_missing)))
        return (
            self._state,
            self._examples,
            self._dropout(first_step, len(batches)),
            tf.constant(filled.reshape(len(batches), self._num_shards, self._shard_size)),
            tf.constant(num_examples),
            tf.constant(first_step, tf.int64),
        )
