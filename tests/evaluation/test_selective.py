"""Risk-coverage curves, on numbers small enough to compute by hand."""

import numpy as np
import pytest

from dropout_lab.evaluation.selective import accuracy_at_coverage, area_under_risk_coverage, risk_coverage

PROBS = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8], [0.3, 0.7]])


def test_the_most_confident_predictions_come_first() -> None:
    coverage, risk = risk_coverage(PROBS, np.array([0, 0, 0, 1]))  # only 0.9 and 0.7 are right
    assert coverage.tolist() == [0.25, 0.5, 0.75, 1]
    assert risk == pytest.approx([0, 1 / 2, 1 / 3, 2 / 4])
    assert area_under_risk_coverage(PROBS, np.array([0, 0, 0, 1])) == pytest.approx(np.mean(risk))
    assert accuracy_at_coverage(PROBS, np.array([0, 0, 0, 1]), 0.75) == pytest.approx(2 / 3)


def test_equal_confidences_have_the_mean_risk_of_all_orders() -> None:
    probs = np.full((4, 2), 0.5)
    _, risk = risk_coverage(probs, np.array([1, 0, 0, 0]))
    assert risk == pytest.approx([1 / 4] * 4)


def test_another_confidence_ranks_the_predictions() -> None:
    _, risk = risk_coverage(PROBS, np.array([0, 0, 0, 1]), confidence=np.array([1, 3, 2, 4]))
    assert risk == pytest.approx([0, 1 / 2, 2 / 3, 2 / 4])


def test_at_least_one_example_is_answered() -> None:
    assert accuracy_at_coverage(PROBS, np.array([0, 0, 0, 1]), 0.01) == 1
