"""The test of the published curve: its distances, and uniform p-values for a run like the others."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from scipy import stats


@pytest.fixture(scope="module")
def reproduction(repository: Path) -> ModuleType:
    folder = repository / "benchmarks"
    sys.path.insert(0, str(folder))
    try:
        spec = importlib.util.spec_from_file_location("reproduction", folder / "reproduction.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(folder))
    return module


def simulated_curves(random: np.random.Generator, num_runs: int) -> np.ndarray:
    """Return learning curves whose epochs hang together and whose values are skewed."""
    level = random.exponential(size=(num_runs, 1))
    steps = random.normal(size=(num_runs, 40)).cumsum(axis=1)
    return level + 0.2 * steps + np.linspace(5, 1, 40)


def test_distances_leave_the_run_itself_out(reproduction):
    curves = np.array([[1.0, 0.0], [2.0, 1.0], [4.0, 5.0], [9.0, 2.0]])
    for index, expected in enumerate(reproduction.distances(curves)):
        others = np.delete(curves, index, axis=0)
        assert expected == pytest.approx((curves[index] - others.mean(axis=0)) / others.std(axis=0, ddof=1))


def test_p_values_are_uniform_for_a_run_like_the_others(reproduction):
    num_runs, num_trials = 20, 2000
    random = np.random.default_rng(7)
    p_values = []
    for _ in range(num_trials):
        distance = reproduction.distances(simulated_curves(random, num_runs))
        p_values.append(reproduction.rank_p_value(np.abs(distance).max(axis=1)))
    # Every rank 1/20, 2/20, ... is equally likely: chi-square over the 20 ranks.
    counts = np.bincount(np.rint(np.array(p_values) * num_runs).astype(int), minlength=num_runs + 1)[1:]
    assert stats.chisquare(counts).pvalue > 1e-4


def test_a_run_from_elsewhere_has_the_smallest_p_value(reproduction):
    curves = simulated_curves(np.random.default_rng(8), 40)
    curves[0, 12] += 40
    distance = np.abs(reproduction.distances(curves))
    assert distance[0].argmax() == 12
    assert reproduction.rank_p_value(distance.max(axis=1)) == 1 / 40


def test_the_prediction_p_value_inverts_the_prediction_interval(reproduction):
    edge = 5 + stats.t.ppf(0.975, 9) * 2 * np.sqrt(1 + 1 / 10)
    assert reproduction.prediction_p_value(edge, 10, 5.0, 2.0) == pytest.approx(0.05)
