"""Final metrics of a trained model on a whole dataset, with dropout off."""

from collections.abc import Hashable

import numpy as np
import tensorflow as tf
from sklearn.metrics import confusion_matrix

from dropout_lab.data.dataset import Dataset, Inputs, Labels
from dropout_lab.errors import TrainingError
from dropout_lab.evaluation.measures import measure
from dropout_lab.models.network import Network
from dropout_lab.models.sites import random_numbers_kept
from dropout_lab.records import Evaluation, FloatArray
from dropout_lab.training.graphs import Graphs
from dropout_lab.training.inputs import scale_inputs
from dropout_lab.training.memory import examples_that_fit

DIVERGED_HINT = "A smaller training.learning_rate usually helps."


class Predictor:
    """Class probabilities of a model on whole datasets, from one compiled function.

    Args:
        network: Network whose current weights are used at each call.
        data: Dataset whose inputs it takes.
        likeness: See `Graphs`.
    """

    def __init__(self, network: Network, data: Dataset, likeness: Hashable | None = None) -> None:
        self._model = network.model
        self._batch_size = examples_that_fit(network.model)

        def forward(inputs: tf.Tensor) -> tf.Tensor:
            outputs = tf.cast(network.model(scale_inputs(inputs, data.scaling), training=False), tf.float32)
            return tf.nn.softmax(outputs) if network.outputs == "logits" else outputs

        graphs = Graphs(likeness, network.model.variables)
        inputs = tf.TensorSpec((None, *data.input_shape), data.train_inputs.dtype)
        self._forward = graphs.of("forward", forward, inputs)

    def probs(self, inputs: Inputs) -> FloatArray:
        """Return (num_examples, num_classes) probabilities for (num_examples, ...) stored values."""
        size = self._batch_size
        batches = (inputs[i : i + size] for i in range(0, len(inputs), size))
        with random_numbers_kept(self._model):
            return np.concatenate([self._forward(batch).numpy() for batch in batches])

    def check_inference(self, inputs: Inputs) -> None:
        """Check before training that inference on (num_examples, ...) stored values is finite and repeatable.

        Raises:
            TrainingError: If a probability is not finite, or differs in a second inference.
        """
        probs = self.probs(inputs)
        if not np.isfinite(probs).all():
            raise TrainingError(
                "The outputs of the network are not finite before training.",
                hint="Check data.scale, training.precision and the code of the network.",
            )
        if not np.array_equal(probs, self.probs(inputs)):
            raise TrainingError(
                "Two inferences on the same inputs differ: the network is random at inference."
            )

    def require_finite_weights(self) -> None:
        """Check that no weight is NaN or infinite, which ReLU and pooling can hide.

        Raises:
            TrainingError: If one is.
        """
        for variable in self._model.weights:
            if not np.isfinite(variable.numpy()).all():
                raise TrainingError(
                    f"The weights of {variable.path} are no longer finite.", hint=DIVERGED_HINT
                )


def evaluate(probs: FloatArray, labels: Labels) -> Evaluation:
    """Compute the metrics of `probs` against `labels`.

    Args:
        probs: (num_examples, num_classes); rows sum to 1.
        labels: (num_examples,), class numbers.

    Returns:
        The metrics; see `Evaluation`.

    Raises:
        TrainingError: If a probability is not finite.
    """
    if not np.isfinite(probs).all():
        raise TrainingError("The outputs of the model are no longer finite.", hint=DIVERGED_HINT)
    classes = np.arange(probs.shape[1])
    counts = confusion_matrix(labels, probs.argmax(axis=1), labels=classes)
    return Evaluation(
        measures=measure(probs, labels),
        per_class_accuracy={
            label: float(row[label] / row.sum()) for label, row in enumerate(counts) if row.any()
        },
        confusion_matrix=counts,
        probs=probs,
    )
