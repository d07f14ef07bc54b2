"""Measures of class probabilities, on numbers small enough to compute by hand."""

import math

import numpy as np
import pytest

from dropout_lab.evaluation.calibration import NUM_BINS
from dropout_lab.evaluation.measures import measure, measure_all
from dropout_lab.evaluation.registry import EVALUATED_MEASURES, MEASURES

PROBS = np.array([[0.5, 0.5, 0, 0], [0, 0.75, 0.25, 0], [0, 0, 0.25, 0.75], [0, 0, 0, 1]], dtype=np.float32)
LABELS = np.arange(4)


def test_every_measure_of_the_registry_is_computed() -> None:
    assert measure(PROBS, LABELS).keys() == set(MEASURES)
    assert measure_all(PROBS, LABELS).keys() == {*MEASURES, *EVALUATED_MEASURES}


def test_measures_by_hand() -> None:
    # Confidences 0.5 | 0.75, 0.75 | 1 fall in three of the 15 bins, with accuracies 1 | 1/2 | 1.
    expected = {
        "accuracy": 3 / 4,
        "loss": -(math.log(0.5) + math.log(0.75) + math.log(0.25) + math.log(1)) / 4,
        "brier": ((0.25 + 0.25) + (0.0625 + 0.0625) + (0.5625 + 0.5625) + 0) / 4,
        "ece": (1 * abs(0.5 - 1) + 2 * abs(0.75 - 1 / 2) + 1 * abs(1 - 1)) / 4,
    }
    assert measure(PROBS, LABELS) == pytest.approx(expected)


def test_a_calibrated_model_has_no_calibration_error() -> None:
    probs = np.array([[0.75, 0.25]] * 4, dtype=np.float32)
    assert measure(probs, np.array([0, 0, 0, 1]))["ece"] == pytest.approx(0)


def test_classes_without_examples_count_too() -> None:
    assert measure(PROBS[:2], np.array([0, 0]))["accuracy"] == 1 / 2


def test_evaluated_measures_by_hand() -> None:
    # By confidence: 1 right, the two of 0.75 half right each, 0.5 right (the first of two equal classes).
    expected = {
        # Each example falls into a bin of its own; the two of equal confidence are 1/2 right in each.
        "ece_equal_mass": (abs(1 - 1) + 2 * abs(0.75 - 1 / 2) + abs(0.5 - 1)) / 4,
        "aurc": (0 + 0.5 / 2 + 1 / 3 + 1 / 4) / 4,
        "accuracy_at_80": 1 - 1 / 3,  # 3 of 4 examples
        "entropy": (math.log(2) - 2 * (0.75 * math.log(0.75) + 0.25 * math.log(0.25))) / 4,
    }
    measured = measure_all(PROBS, LABELS)
    assert {name: measured[name] for name in EVALUATED_MEASURES} == pytest.approx(expected)


def test_measures_do_not_depend_on_the_order_of_the_examples() -> None:
    random = np.random.default_rng(0)
    probs = np.round(random.dirichlet([1, 1, 1], 300), 2).astype(np.float32)
    labels = random.integers(0, 3, 300)
    order = random.permutation(300)
    assert measure_all(probs[order], labels[order]) == pytest.approx(measure_all(probs, labels))


def test_measures_agree_with_scikit_learn() -> None:
    from sklearn.calibration import calibration_curve
    from sklearn.metrics import accuracy_score, brier_score_loss, log_loss

    random = np.random.default_rng(1)
    probs = random.dirichlet([0.4] * 5, 2000)
    labels = np.where(random.random(2000) < 0.6, probs.argmax(axis=1), random.integers(0, 5, 2000))
    confidence, right = probs.max(axis=1), probs.argmax(axis=1) == labels
    accuracy, mean_confidence = calibration_curve(right, confidence, n_bins=NUM_BINS)
    counts, _ = np.histogram(confidence, NUM_BINS, (0, 1))
    expected = {
        "accuracy": accuracy_score(labels, probs.argmax(axis=1)),
        "loss": log_loss(labels, probs),
        "brier": sum(brier_score_loss(labels == one, probs[:, one]) for one in range(5)),
        "ece": np.average(np.abs(accuracy - mean_confidence), weights=counts[counts > 0]),
    }
    assert measure(probs, labels) == pytest.approx(expected)
