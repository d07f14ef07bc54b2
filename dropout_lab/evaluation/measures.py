"""Measures of class probabilities: one function for each of `MEASURES` and `EVALUATED_MEASURES`."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from dropout_lab.evaluation.calibration import equal_mass_calibration_error, expected_calibration_error
from dropout_lab.evaluation.registry import EVALUATED_MEASURES, MEASURES
from dropout_lab.evaluation.selective import accuracy_at_coverage, area_under_risk_coverage
from dropout_lab.evaluation.uncertainty import entropy

Array = npt.NDArray[Any]


def measure(probs: Array, labels: Array, names: Iterable[str] = MEASURES) -> dict[str, float]:
    """Return measures of `probs` against `labels`, by name.

    Args:
        probs: Class probabilities, (num_examples, num_classes); rows sum to 1 but for rounding.
        labels: True classes, (num_examples,).
        names: Some of `MEASURES` and `EVALUATED_MEASURES`.
    """
    return {name: float(_FUNCTIONS[name](probs, labels)) for name in names}


def measure_all(probs: Array, labels: Array) -> dict[str, float]:
    """Return every measure of `probs` against `labels`, by name, as `measure` does."""
    return measure(probs, labels, (*MEASURES, *EVALUATED_MEASURES))


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
    "ece_equal_mass": equal_mass_calibration_error,
    "aurc": area_under_risk_coverage,
    "accuracy_at_80": lambda probs, labels: accuracy_at_coverage(probs, labels, 0.8),
    "entropy": lambda probs, _: float(np.mean(entropy(probs))),
}
