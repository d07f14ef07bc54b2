"""Final metrics of a trained model on a whole dataset, with dropout off."""

import keras
import numpy as np
import tensorflow as tf
from sklearn.metrics import accuracy_score, brier_score_loss, confusion_matrix, log_loss

from dropout_lab.data.dataset import Dataset, Inputs, Labels
from dropout_lab.errors import TrainingError
from dropout_lab.records import Evaluation, FloatArray
from dropout_lab.training.inputs import scale_inputs

EVALUATION_BATCH = 1000
NUM_CALIBRATION_BINS = 15
DIVERGED_HINT = "A smaller training.learning_rate usually helps."


class Predictor:
    """Class probabilities of a model on whole datasets, from one compiled function.

    Args:
        model: Model whose current weights are used at each call.
        data: Dataset whose inputs it takes.
    """

    def __init__(self, model: keras.Model, data: Dataset) -> None:
        self._model = model
        self._forward = tf.function(
            lambda inputs: model(scale_inputs(inputs, data.scaling), training=False),
            input_signature=[tf.TensorSpec((None, *data.input_shape), data.train_inputs.dtype)],
        )

    def probs(self, inputs: Inputs) -> FloatArray:
        """Return (num_examples, num_classes) probabilities for (num_examples, ...) stored values."""
        batches = range(0, len(inputs), EVALUATION_BATCH)
        return np.concatenate([self._forward(inputs[i : i + EVALUATION_BATCH]).numpy() for i in batches])

    def require_finite_weights(self) -> None:
        """Check that no weight is NaN or infinite, which ReLU and pooling can hide.

        Raises:
            TrainingError: If one is.
        """
        for variable in self._model.trainable_variables:
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
    predicted = probs.argmax(axis=1)
    counts = confusion_matrix(labels, predicted, labels=classes)
    normalized = probs.astype(np.float64)
    normalized /= normalized.sum(axis=1, keepdims=True)
    return Evaluation(
        loss=float(log_loss(labels, normalized, labels=classes)),
        accuracy=float(accuracy_score(labels, predicted)),
        brier=float(brier_score_loss(labels, normalized, labels=classes, scale_by_half=False)),
        ece=expected_calibration_error(probs, labels),
        per_class_accuracy={
            label: float(row[label] / row.sum()) for label, row in enumerate(counts) if row.any()
        },
        confusion_matrix=counts,
        probs=probs,
    )


def expected_calibration_error(
    probs: FloatArray, labels: Labels, num_bins: int = NUM_CALIBRATION_BINS
) -> float:
    """Return the mean difference of confidence and accuracy over bins of equal width, weighted by size.

    Confidence is the highest probability of an example; bins are (i/n, (i+1)/n]. Source: Guo et al.,
    "On Calibration of Modern Neural Networks", ICML 2017, equation 3.
    """
    confidence = probs.max(axis=1).astype(np.float64)
    correct = probs.argmax(axis=1) == labels
    bins = np.clip(np.ceil(confidence * num_bins).astype(int) - 1, 0, num_bins - 1)
    excess = np.bincount(bins, weights=confidence - correct, minlength=num_bins)
    return float(np.abs(excess).sum() / len(labels))
