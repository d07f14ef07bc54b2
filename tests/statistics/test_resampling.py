import itertools
import math

import numpy as np
import pytest
from scipy import stats

from dropout_lab.statistics.resampling import (
    bootstrap_test,
    decimals_for,
    relabelling_test,
    sign_flip_test,
)

DIFFERENCES = np.array([0.007, 0.003, 0.006, 0.003, 0.009, 0.005, -0.001, 0.009])
VALUES = np.array([0.912, 0.907, 0.915, 0.909, 0.911])
REFERENCE = np.array([0.905, 0.904, 0.909, 0.906])


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize("tested", [0.0, 0.0025, 0.006, 0.01])
def test_sign_flip_counts_all_sign_patterns(tested: float) -> None:
    shifted = DIFFERENCES - tested
    sums = [abs(np.dot(signs, shifted)) for signs in itertools.product((-1, 1), repeat=8)]
    as_extreme = sum(total >= abs(shifted.sum()) - 1e-12 for total in sums)
    test = sign_flip_test(shifted, 12, rng())
    assert test.p_value() == pytest.approx(as_extreme / 2**8)
    assert test.smallest_p == 2 / 2**8
    assert test.name == "exact sign-flip"


def test_sign_flip_draws_patterns_where_they_are_too_many() -> None:
    values = np.random.default_rng(1).normal(0.5, 1, 20)
    test = sign_flip_test(values, 12, rng())
    assert test.p_value() == pytest.approx(stats.ttest_1samp(values, 0).pvalue, abs=0.02)
    assert "random" in test.name
    assert test.smallest_p == 2 / 10_000


@pytest.mark.parametrize("tested", [0.0, 0.004])
def test_relabelling_counts_all_labellings(tested: float) -> None:
    shifted = VALUES - tested
    pooled = np.concatenate([shifted, REFERENCE])
    observed = shifted.mean() - REFERENCE.mean()
    at_least = at_most = 0
    for chosen in itertools.combinations(range(9), 5):
        rest = np.delete(pooled, chosen)
        difference = pooled[list(chosen)].mean() - rest.mean()
        at_least += difference >= observed - 1e-12
        at_most += difference <= observed + 1e-12
    test = relabelling_test(VALUES, REFERENCE, 12, rng())
    num_labellings = math.comb(9, 5)
    assert test.p_greater(tested) == pytest.approx(at_least / num_labellings)
    assert test.p_less(tested) == pytest.approx(at_most / num_labellings)


def test_relabelling_draws_labellings_where_they_are_too_many() -> None:
    values, reference = np.random.default_rng(1).normal(size=(2, 15))
    test = relabelling_test(values, reference, 12, rng())
    assert "random" in test.name
    assert test.p_value() == pytest.approx(stats.ttest_ind(values, reference).pvalue, abs=0.02)


def test_the_bootstrap_interval_is_that_of_its_t_statistics() -> None:
    drawn = DIFFERENCES[rng().integers(0, 8, (9_999, 8))]
    with np.errstate(divide="ignore"):
        statistics = (drawn.mean(1) - DIFFERENCES.mean()) / (drawn.std(1, ddof=1) / math.sqrt(8))
    standard_error = DIFFERENCES.std(ddof=1) / math.sqrt(8)
    ends = DIFFERENCES.mean() - standard_error * np.sort(statistics)[[-250, 249]]
    test = bootstrap_test(DIFFERENCES, None, 12, rng())
    assert test.interval(0.95) == pytest.approx(tuple(ends))
    assert test.p_value() == pytest.approx(2 * (1 + np.sum(test.low_values <= 0)) / 10_000)


def test_the_unpaired_bootstrap_comes_near_welchs_interval_of_many_normal_values() -> None:
    values, reference = np.random.default_rng(3).normal(size=(2, 200))
    welch = stats.ttest_ind(values, reference, equal_var=False).confidence_interval(0.95)
    found = bootstrap_test(values, reference, 12, rng()).interval(0.95)
    assert found == pytest.approx(tuple(welch), abs=0.02)


def test_rounding_is_relative_to_the_values() -> None:
    assert decimals_for(np.array([0.9]), np.array([0.02])) == 12
    assert decimals_for(np.array([12_345.0])) == 7
    assert decimals_for(np.zeros(2)) == 12
    # 0.1 + 0.2 - 0.3 is not 0 in floating point.
    noisy = np.round(np.array([0.1 + 0.2 - 0.3, 0.0, 0.0]), 12)
    assert sign_flip_test(noisy, 12, rng()).p_value() == 1
