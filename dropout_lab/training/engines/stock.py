"""Training steps with stock Keras layers, on any device."""

import keras
import numpy as np
import tensorflow as tf

from dropout_lab.data.dataset import Inputs, Labels
from dropout_lab.data.scaling import Scaling
from dropout_lab.models.inspection import dropout_layers
from dropout_lab.records import IntArray
from dropout_lab.training.engines.observation import MAX_EXAMPLES, NUM_STEPS, DropoutObservation
from dropout_lab.training.inputs import scale_inputs


class StockEngine:
    """Engine of stock Keras layers and optimizers in one graph, with data that stays on the device.

    Args:
        model: The built model; its dtype policy decides the precision.
        optimizer: Built for the model's trainable variables.
        inputs: (num_examples, ...) stored values.
        labels: (num_examples,) of class numbers.
        scaling: From stored values to those that the model takes.
    """

    name = "stock"

    def __init__(
        self,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        inputs: Inputs,
        labels: Labels,
        scaling: Scaling,
    ) -> None:
        self._model = model
        self._optimizer = optimizer
        self._inputs = tf.constant(inputs)
        self._scaling = scaling
        self._labels = tf.constant(labels.astype(np.int32))
        self._run = tf.function(self._steps, input_signature=[tf.TensorSpec([None, None], tf.int32)])
        # Not compiled by XLA, which has no deterministic gradient of max-pooling on GPUs (TensorFlow 2.21).
        self._step = tf.function(self._one_step)
        self._observe = tf.function(self._dropout_in_and_out)
        dropout = [tensor for layer in dropout_layers(model) for tensor in (layer.input, layer.output)]
        self._forward = keras.Model(model.inputs, [*model.outputs, *dropout])

    def run(self, batches: IntArray, first_step: int) -> tuple[float, float]:
        """See `Engine.run`."""
        self._continue_masks_at(first_step)
        loss, num_correct = self._run(tf.constant(batches.astype(np.int32)))
        return float(loss), float(num_correct)

    def observe_dropout(self, first_step: int) -> list[DropoutObservation]:
        """See `Engine.observe_dropout`. Elements that ReLU sets to zero are not examined."""
        self._continue_masks_at(first_step)
        inputs = self._inputs[:MAX_EXAMPLES]
        steps = [[seen.numpy() for seen in self._observe(inputs)] for _ in range(NUM_STEPS)]
        before_and_after = [np.stack(arrays) for arrays in zip(*steps, strict=True)]
        return [
            DropoutObservation(layer.name, before, after)
            for layer, before, after in zip(
                dropout_layers(self._model), before_and_after[::2], before_and_after[1::2], strict=True
            )
        ]

    def _continue_masks_at(self, step: int) -> None:
        """Set each Dropout's stream to where it stands after `step` steps: it draws one seed a step."""
        for layer in dropout_layers(self._model):
            if layer.rate > 0:
                layer.seed_generator.state.assign([layer.seed, step])

    def _steps(self, batches: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        loss_sum = tf.constant(0.0)
        num_correct = tf.constant(0.0)
        for batch in batches:
            loss, correct = self._step(tf.gather(self._inputs, batch), tf.gather(self._labels, batch))
            loss_sum += loss
            num_correct += correct
        return loss_sum, num_correct

    def _one_step(self, inputs: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            probs, *_ = self._forward(scale_inputs(inputs, self._scaling), training=True)
            losses = keras.losses.sparse_categorical_crossentropy(labels, probs)
            loss = tf.reduce_mean(losses)
            scaled = self._optimizer.scale_loss(loss)
        variables = self._model.trainable_variables
        self._optimizer.apply(tape.gradient(scaled, variables), variables)
        correct = tf.equal(tf.argmax(probs, axis=-1, output_type=tf.int32), labels)
        return tf.reduce_sum(losses), tf.reduce_sum(tf.cast(correct, tf.float32))

    def _dropout_in_and_out(self, inputs: tf.Tensor) -> list[tf.Tensor]:
        """Return where the input and the output of each Dropout layer are above zero, in turn."""
        _, *tensors = self._forward(scale_inputs(inputs, self._scaling), training=True)
        return [tensor > 0 for tensor in tensors]
