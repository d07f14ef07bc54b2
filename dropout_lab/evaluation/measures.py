"""Measures of class probabilities: one function for each of `registry.MEASURES`."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from dropout_lab.evaluation.calibration import expected_calibration_error

Array = npt.NDArray[Any]


def measure(probs: Array, labels: Array) -> dict[str, float]:
    """Return every measure of `probs` against `labels`, by name.

    Args:
        probs: Class probabilities, (num_examples, num_classes); rows sum to 1 but for rounding.
        labels: True classes, (num_examples,).
    """
    return {name: float(function(probs, labels)) for name, function in _FUNCTIONS.items()}


def accuracy(probs: Array, labels: Array) -> float:
    """Return the fraction of examples whose most probable class is the true one."""
    return float(np.mean(probs.argmax(axis=1) == labels))


def cross_entropy(probs: Array, labels: Array) -> float:
    """Return the mean negative logarithm of the true class's probability, in nats."""
    from sklearn.metrics import log_loss

    return float(log_loss(labels, _normalized(probs), labels=np.arange(probs.shape[1])))


def brier_score(probs: Array, labels: Array) -> float:
    """Return the mean squared distance between the probabilities and the one-hot label, in [0, 2].

    Source: Brier 1950, "Verification of forecasts expressed in terms of probability".
    """
    from sklearn.metrics import brier_score_loss

    classes = np.arange(probs.shape[1])
    return float(brier_score_loss(labels, _normalized(probs), labels=classes, scale_by_half=False))


def _normalized(probs: Array) -> npt.NDArray[np.float64]:
    exact = probs.astype(np.float64)
    exact /= exact.sum(axis=1, keepdims=True)
    return exact


_FUNCTIONS: Mapping[str, Callable[[Array, Array], float]] = {
    "accuracy": accuracy,
    "loss": cross_entropy,
    "brier": brier_score,
    "ece": expected_calibration_error,
}
