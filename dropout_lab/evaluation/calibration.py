"""Calibration of class probabilities, from predictions and labels alone.

Sources: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, section 2 and equation 3; bins of
equal mass: Nixon et al., "Measuring Calibration in Deep Learning", CVPR Workshops 2019.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from dropout_lab.evaluation.selective import sums_by_confidence

NUM_BINS = 15


def bin_sums(probs: npt.NDArray[Any], labels: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Sum predictions by confidence, in 15 bins (i/15, (i+1)/15] of equal width.

    Args:
        probs: Class probabilities, (num_examples, num_classes).
        labels: True classes, (num_examples,).

    Returns:
        (3, 15): the number of predictions, the sum of their confidences, and how many are right.
    """
    confidence = probs.max(axis=1).astype(np.float64)
    bins = _bins(confidence)
    weights = (np.ones(len(labels)), confidence, (probs.argmax(axis=1) == labels).astype(np.float64))
    return np.array([np.bincount(bins, weights=w, minlength=NUM_BINS) for w in weights])


def expected_calibration_error(probs: npt.NDArray[Any], labels: npt.NDArray[Any]) -> float:
    """Return the expected calibration error over 15 bins of equal width, in [0, 1]."""
    confidence = probs.max(axis=1).astype(np.float64)
    excess = confidence - (probs.argmax(axis=1) == labels)
    return float(
        np.abs(np.bincount(_bins(confidence), weights=excess, minlength=NUM_BINS)).sum() / len(labels)
    )


def equal_mass_calibration_error(probs: npt.NDArray[Any], labels: npt.NDArray[Any]) -> float:
    """Return the expected calibration error over 15 bins of equal numbers of predictions, in [0, 1].

    Predictions of equal confidence that fall into several bins count with their mean in each.

    Args:
        probs: Class probabilities, (num_examples, num_classes).
        labels: True classes, (num_examples,).
    """
    confidence = probs.max(axis=1).astype(np.float64)
    excess = confidence - (probs.argmax(axis=1) == labels)
    ends = np.round(np.linspace(0, len(labels), NUM_BINS + 1)).astype(np.int64)
    sums = np.concatenate([[0.0], sums_by_confidence(confidence, excess)])
    return float(np.abs(np.diff(sums[ends])).sum() / len(labels))


def _bins(confidence: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    return np.clip(np.ceil(confidence * NUM_BINS).astype(np.int64) - 1, 0, NUM_BINS - 1)
