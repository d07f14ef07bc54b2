"""Training steps of any Keras classifier, on any device."""

from collections.abc import Hashable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from dropout_lab.data.dataset import Inputs, Labels
from dropout_lab.data.scaling import Scaling
from dropout_lab.models.network import Network
from dropout_lab.records import IntArray
from dropout_lab.training.augmentation import Augmenter
from dropout_lab.training.engines.adam import AdamConstants, AdamState, apply_adam, can_fuse
from dropout_lab.training.engines.observation import MAX_EXAMPLES, NUM_STEPS, DropoutObservation
from dropout_lab.training.engines.rate_variables import RateVariables
from dropout_lab.training.engines.recording import (
    layers_that_show,
    number_type,
    observations,
    record_calls,
    what_shows,
)
from dropout_lab.training.engines.replicas import Replicas
from dropout_lab.training.graphs import Graphs
from dropout_lab.training.inputs import scale_inputs
from dropout_lab.training.memory import examples_that_fit
from dropout_lab.training.rates import NO_CHANGES, SiteRates
from dropout_lab.training.regularizers import Regularizers

FEW_VARIABLES = 20
"""Models with more are updated by one operation per variable: a MobileNetV2 spends a seventh of a step in the
4,000 operations of Keras. Smaller ones keep these, whose last bits are other ones."""


NO_REGULARIZERS = Regularizers()


class KerasEngine:
    """Engine that calls the model and its optimizer in one graph, with data that stays on the device.

    State that the layers keep, such as the moving statistics of batch normalization and the streams of
    random numbers, changes in the model's variables as it does in `fit`.

    Args:
        network: The built network; its dtype policy decides the precision.
        optimizer: Built for the trainable variables of its model.
        inputs: (num_examples, ...) stored values.
        labels: (num_examples,) of class numbers.
        scaling: From stored values to those that the model takes.
        regularizers: What the loss and the updates have besides.
        augmenter: Changes the images of training steps; None leaves them as stored.
        rates: Rate of each site in each step; sites whose rate changes have it in a variable.
        replicas: Copies of the network that train on parts of each batch; None with a single device.
        likeness: See `Graphs`.

    Raises:
        UsageError: If the rate of such a site is in no variable.
    """

    name = "stock"

    def __init__(
        self,
        network: Network,
        optimizer: keras.optimizers.Optimizer,
        inputs: Inputs,
        labels: Labels,
        scaling: Scaling,
        regularizers: Regularizers = NO_REGULARIZERS,
        augmenter: Augmenter | None = None,
        rates: SiteRates = NO_CHANGES,
        replicas: Replicas | None = None,
        likeness: Hashable | None = None,
    ) -> None:
        self._network = network
        self._model = network.model
        self._optimizer = optimizer
        self._inputs = tf.constant(inputs)
        self._scaling = scaling
        self._regularizers = regularizers
        self._augmenter = augmenter
        self._labels = tf.constant(labels.astype(np.int32))
        self._rates = RateVariables(network, rates)
        self._replicas = replicas
        variables = [*network.model.variables, *optimizer.variables, *self.variables]
        graphs = Graphs(likeness, variables)
        examples = tf.TensorSpec([None, *self._inputs.shape[1:]], self._inputs.dtype)
        self._run = graphs.of(
            "steps",
            self._steps,
            examples,
            tf.TensorSpec([None], tf.int32),
            tf.TensorSpec([None, None], tf.int32),
            self._rates.spec,
        )
        of_a_step = tf.TensorSpec(self._rates.spec.shape[1:], self._rates.spec.dtype)
        self._observe = graphs.of("observe", self._observed, examples, of_a_step, autograph=False)
        # Not compiled by XLA, which has no deterministic gradient of max-pooling on GPUs (TensorFlow 2.21).
        self._step = tf.function(self._one_step)

    @property
    def variables(self) -> list[keras.Variable]:
        """See `Engine.variables`."""
        return self._augmenter.variables if self._augmenter is not None else []

    def run(self, batches: IntArray, first_step: int) -> tuple[float, float]:
        """See `Engine.run`. The masks follow from the state of the model, not from the number of the step."""
        rates = self._rates.in_steps(first_step, len(batches))
        steps = tf.constant(batches.astype(np.int32))
        loss, num_correct = self._run(self._inputs, self._labels, steps, rates)
        return float(loss), float(num_correct)

    def observe_dropout(self, first_step: int) -> list[DropoutObservation]:
        """See `Engine.observe_dropout`. Elements that are zero before dropout are not examined."""
        inputs = self._inputs[: min(MAX_EXAMPLES, examples_that_fit(self._model))]
        state = [(variable, variable.numpy()) for variable in self._model.non_trainable_variables]
        try:
            steps = [
                [[part.numpy() for part in call] for call in self._observe(inputs, rates)]
                for rates in self._rates.in_steps(first_step, NUM_STEPS)
            ]
        finally:
            for variable, value in state:
                variable.assign(value)
        called = [(path.decode(), kind.decode()) for path, kind, *_ in steps[0]]
        return observations(called, [[parts for _, _, *parts in calls] for calls in steps])

    def _observed(self, inputs: tf.Tensor, rates: tf.Tensor) -> list[tuple[Any, ...]]:
        """Return site, type of the random numbers, and `what_shows` of each call of a layer that shows."""
        layers = layers_that_show(self._network.sites)
        self._rates.assign(rates)
        with record_calls(layers) as calls:
            self._outputs(inputs)
        return [(layers[layer], number_type(layer), *what_shows(layer, *values)) for layer, *values in calls]

    def _steps(
        self, all_inputs: tf.Tensor, all_labels: tf.Tensor, batches: tf.Tensor, rates: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        loss_sum = tf.constant(0.0)
        num_correct = tf.constant(0.0)
        for i in tf.range(tf.shape(batches)[0]):
            self._rates.assign(rates[i])
            batch = batches[i]
            inputs = tf.gather(all_inputs, batch)
            if self._augmenter is not None:
                inputs = self._augmenter(inputs)
            loss, correct = self._train(inputs, tf.gather(all_labels, batch))
            loss_sum += loss
            num_correct += correct
        if self._replicas is not None:
            self._replicas.align(self._model.non_trainable_variables)
        return loss_sum, num_correct

    def _train(self, inputs: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        if self._replicas is not None:
            return self._replicas.step(self._one_step, self._model, inputs, labels)
        loss_sum, num_correct = self._step(inputs, labels)
        return loss_sum, num_correct

    def _one_step(
        self, inputs: tf.Tensor, labels: tf.Tensor, share: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Train on a batch, or on a part of it whose gradients count by its share of the batch."""
        with tf.GradientTape() as tape:
            outputs = self._outputs(inputs)
            from_logits = self._network.outputs == "logits"
            losses = keras.losses.sparse_categorical_crossentropy(labels, outputs, from_logits=from_logits)
            minimized = self._regularizers.minimized(labels, outputs, losses, from_logits=from_logits)
            loss = tf.add_n([tf.reduce_mean(minimized), *self._penalties()])
            scaled = self._optimizer.scale_loss(loss if share is None else loss * share)
        self._update(tape.gradient(scaled, self._model.trainable_variables))
        correct = tf.equal(tf.argmax(outputs, axis=-1, output_type=tf.int32), labels)
        return tf.reduce_sum(losses), tf.reduce_sum(tf.cast(correct, tf.float32))

    def _update(self, gradients: list[tf.Tensor]) -> None:
        variables = self._model.trainable_variables
        few = len(variables) <= FEW_VARIABLES
        if few or self._replicas is not None or not can_fuse(self._optimizer, variables, gradients):
            self._optimizer.apply(gradients, variables)
        else:
            apply_adam(AdamState.of(self._optimizer, variables), AdamConstants.of(self._optimizer), gradients)
        self._regularizers.limit()

    def _outputs(self, inputs: tf.Tensor) -> tf.Tensor:
        """Return logits or probabilities in float32, with dropout on."""
        return tf.cast(self._model(scale_inputs(inputs, self._scaling), training=True), tf.float32)

    def _penalties(self) -> list[tf.Tensor]:
        """Return the losses of regularizers and `add_loss`, which the model collected in its last call."""
        of_model = [tf.cast(loss, tf.float32) for loss in self._model.losses]
        return [*of_model, *self._regularizers.penalties()]
