"""Temperature scaling of class probabilities.

Source: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, section 4.2.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

LOWEST, HIGHEST = 0.01, 100.0
"""Temperatures between which the best one is searched for."""


def fit_temperature(probs: npt.NDArray[Any], labels: npt.NDArray[Any]) -> float:
    """Return the temperature with the smallest cross-entropy.

    Args:
        probs: Class probabilities at temperature 1, (num_examples, num_classes), of examples that neither
            training nor the test uses.
        labels: True classes, (num_examples,).
    """
    from scipy.optimize import brentq

    logs = _logs(probs)
    own = logs[np.arange(len(labels)), labels.astype(np.int64)]

    def slope(inverse: float) -> float:
        """Return the derivative of the cross-entropy, which is convex, by 1 / temperature."""
        return float(np.mean(np.sum(_softmax(inverse * logs) * logs, axis=1) - own))

    low, high = 1 / HIGHEST, 1 / LOWEST
    if slope(low) >= 0:
        return HIGHEST
    if slope(high) <= 0:
        return LOWEST
    return float(1 / brentq(slope, low, high, xtol=1e-10))


def scale_by_temperature(probs: npt.NDArray[Any], temperature: float) -> npt.NDArray[np.float64]:
    """Return the class probabilities of logits divided by `temperature`, which keeps their order.

    Args:
        probs: Class probabilities at temperature 1, (num_examples, num_classes).
        temperature: Above 1 makes them less confident, below 1 more.
    """
    return _softmax(_logs(probs) / temperature)


def _logs(probs: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return logits: the logarithms, of float32 probabilities that may have been rounded to 0."""
    return np.log(np.maximum(probs.astype(np.float64), np.finfo(np.float32).smallest_subnormal))


def _softmax(logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    normalized: npt.NDArray[np.float64] = exponentials / exponentials.sum(axis=1, keepdims=True)
    return normalized
