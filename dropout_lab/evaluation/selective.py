"""Selective prediction: error rates if a model answers only where it is confident.

Sources: Geifman and El-Yaniv, "Selective Classification for Deep Neural Networks", NeurIPS 2017, section 2;
the area under the curve: Geifman, Uziel and El-Yaniv, "Bias-Reduced Uncertainty Estimation for Deep Neural
Classifiers", ICLR 2019.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def risk_coverage(
    probs: npt.NDArray[Any], labels: npt.NDArray[Any], confidence: npt.NDArray[Any] | None = None
) -> tuple[Floats, Floats]:
    """Return the risk-coverage curve.

    Args:
        probs: Class probabilities, (num_examples, num_classes).
        labels: True classes, (num_examples,).
        confidence: Confidence in each prediction, (num_examples,). [default: the largest probability]

    Returns:
        coverage: (num_examples,), the fractions 1/n, 2/n, ..., 1 of the examples that are answered.
        risk: (num_examples,), the error rate on that fraction of the most confident predictions. Of equally
            confident ones, each order is equally likely.
    """
    if confidence is None:
        confidence = probs.max(axis=1)
    wrong = (probs.argmax(axis=1) != labels).astype(np.float64)
    counts = np.arange(1, len(labels) + 1)
    return counts / len(labels), sums_by_confidence(confidence, wrong) / counts


def area_under_risk_coverage(probs: npt.NDArray[Any], labels: npt.NDArray[Any]) -> float:
    """Return the mean error rate over all coverages, in [0, 1]; see `risk_coverage`."""
    return float(np.mean(risk_coverage(probs, labels)[1]))


def accuracy_at_coverage(probs: npt.NDArray[Any], labels: npt.NDArray[Any], coverage: float) -> float:
    """Return the accuracy on the most confident predictions.

    Args:
        probs: Class probabilities, (num_examples, num_classes).
        labels: True classes, (num_examples,).
        coverage: Fraction of the examples that are answered, in (0, 1]; at least one example.
    """
    num_answered = max(round(coverage * len(labels)), 1)
    return float(1 - risk_coverage(probs, labels)[1][num_answered - 1])


def sums_by_confidence(confidence: npt.NDArray[Any], values: npt.NDArray[Any]) -> Floats:
    """Return the cumulative sums of `values`, the most confident first.

    Each of several equally confident examples adds the mean of their values: the expectation over their
    orders, so that the result does not depend on the order of the data.

    Args:
        confidence: (num_examples,).
        values: (num_examples,).
    """
    levels, group, sizes = np.unique(-confidence, return_inverse=True, return_counts=True)
    sums = np.bincount(group, weights=values, minlength=len(levels))
    ends = np.concatenate([[0], np.cumsum(sizes)])
    found: Floats = np.interp(np.arange(1, len(values) + 1), ends, np.concatenate([[0.0], np.cumsum(sums)]))
    return found
