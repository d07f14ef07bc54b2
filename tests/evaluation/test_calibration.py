"""Calibration from probabilities and labels."""

import numpy as np
import pytest

from dropout_lab.evaluation.calibration import (
    NUM_BINS,
    bin_sums,
    equal_mass_calibration_error,
    expected_calibration_error,
)


def test_bins_count_confidence_and_hits() -> None:
    probs = np.array([[0.9, 0.1], [0.92, 0.08], [0.3, 0.7]])
    counts, confidences, hits = bin_sums(probs, np.array([0, 1, 1]))
    # 0.9 and 0.92 lie in (13/15, 14/15], 0.7 in (10/15, 11/15].
    assert counts[[10, 13]].tolist() == [1, 2]
    assert confidences[13] == pytest.approx(1.82)
    assert hits[[10, 13]].tolist() == [1, 1]
    assert counts.sum() == 3


def test_the_error_is_the_weighted_gap_between_confidence_and_accuracy() -> None:
    probs = np.array([[0.9, 0.1], [0.92, 0.08], [0.3, 0.7]])
    expected = (abs(1.82 - 1) + abs(0.7 - 1)) / 3
    assert expected_calibration_error(probs, np.array([0, 1, 1])) == pytest.approx(expected)
    certain = np.eye(3)
    assert expected_calibration_error(certain, np.arange(3)) == 0
    assert bin_sums(certain, np.arange(3))[0][NUM_BINS - 1] == 3


def test_bins_of_equal_mass_agree_with_scikit_learn() -> None:
    from sklearn.calibration import calibration_curve

    random = np.random.default_rng(0)
    confidence = random.uniform(0.5, 1, 30 * NUM_BINS)
    right = random.random(len(confidence)) < confidence**2
    accuracy, mean_confidence = calibration_curve(right, confidence, n_bins=NUM_BINS, strategy="quantile")
    probs = np.stack([confidence, 1 - confidence], axis=1)
    error = equal_mass_calibration_error(probs, np.where(right, 0, 1))
    assert error == pytest.approx(np.mean(np.abs(accuracy - mean_confidence)))


def test_equal_confidences_are_shared_by_bins_of_equal_mass() -> None:
    probs = np.array([[0.8, 0.2]] * 10)
    assert equal_mass_calibration_error(probs, np.array([0] * 8 + [1] * 2)) == pytest.approx(0)
    assert equal_mass_calibration_error(probs, np.array([1] * 2 + [0] * 8)) == pytest.approx(0)
