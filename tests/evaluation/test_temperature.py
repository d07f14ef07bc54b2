"""Temperature scaling."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from dropout_lab.evaluation.measures import cross_entropy
from dropout_lab.evaluation.temperature import HIGHEST, LOWEST, fit_temperature, scale_by_temperature


def overconfident(factor: float) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities of logits that are `factor` times the true ones, and labels."""
    random = np.random.default_rng(0)
    logits = random.normal(0, 2, (20_000, 4))
    probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = (random.random((len(probs), 1)) > np.cumsum(probs, axis=1)).sum(axis=1)
    scaled = np.exp(factor * logits)
    return (scaled / scaled.sum(axis=1, keepdims=True)).astype(np.float32), labels


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_the_temperature_undoes_the_confidence_of_the_logits(factor: float) -> None:
    assert fit_temperature(*overconfident(factor)) == pytest.approx(factor, rel=0.03)


def test_no_other_temperature_has_a_smaller_loss() -> None:
    probs, labels = overconfident(2.0)
    found = minimize_scalar(
        lambda temperature: cross_entropy(scale_by_temperature(probs, temperature), labels),
        bounds=(0.5, 5),
        method="bounded",
        options={"xatol": 1e-6},
    )
    assert fit_temperature(probs, labels) == pytest.approx(found.x, rel=1e-4)


def test_scaling_keeps_the_order_and_the_sum() -> None:
    probs = np.array([[0.7, 0.2, 0.1], [0.0, 1.0, 0.0]], dtype=np.float32)
    np.testing.assert_allclose(scale_by_temperature(probs, 1.0), probs, atol=1e-7)
    scaled = scale_by_temperature(probs, 2.0)
    np.testing.assert_allclose(scaled[0], np.sqrt(probs[0]) / np.sqrt(probs[0]).sum(), rtol=1e-6)
    np.testing.assert_allclose(scaled.sum(axis=1), 1)
    assert scaled[1].argmax() == 1


def test_a_loss_without_a_minimum_has_the_outermost_temperature() -> None:
    probs = np.array([[0.9, 0.1], [0.2, 0.8]], dtype=np.float32)
    assert fit_temperature(probs, np.array([0, 1])) == LOWEST  # always right: never confident enough
    assert fit_temperature(probs, np.array([1, 0])) == HIGHEST
