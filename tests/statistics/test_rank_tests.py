import itertools

import numpy as np
import pytest
from scipy import stats

from dropout_lab.statistics.rank_tests import rank_sum_test, signed_rank_test

DIFFERENCES = np.array([0.007, 0.0031, 0.006, 0.0032, 0.0091, 0.005, -0.0012, 0.0094])


@pytest.mark.parametrize("n", [3, 8, 40, 200])
def test_the_signed_rank_test_is_scipys_without_ties(n: int) -> None:
    differences = np.random.default_rng(n).normal(0.2, 1, n)
    found = signed_rank_test(differences, 12)
    exact = "exact" if n <= 150 else "approx"
    for side, p_value in (("greater", found.p_greater(0)), ("less", found.p_less(0))):
        expected = stats.wilcoxon(differences, alternative=side, method=exact, correction=True).pvalue
        assert p_value == pytest.approx(expected)


@pytest.mark.parametrize(("n", "m"), [(2, 3), (8, 5), (20, 30), (60, 70)])
def test_the_rank_sum_test_is_scipys_without_ties(n: int, m: int) -> None:
    rng = np.random.default_rng(n)
    values, reference = rng.normal(0.2, 1, n), rng.normal(0, 1, m)
    found = rank_sum_test(values, reference, 12)
    exact = "exact" if n * m <= 2_500 else "asymptotic"
    for side, p_value in (("greater", found.p_greater(0)), ("less", found.p_less(0))):
        expected = stats.mannwhitneyu(values, reference, alternative=side, method=exact).pvalue
        assert p_value == pytest.approx(expected)


def test_estimate_and_interval_are_those_of_the_walsh_averages() -> None:
    averages = sorted((a + b) / 2 for a, b in itertools.combinations_with_replacement(DIFFERENCES, 2))
    found = signed_rank_test(DIFFERENCES, 12)
    assert found.estimate == pytest.approx((averages[17] + averages[18]) / 2)
    # Of 2**8 sign patterns 5 have a rank sum of at most 3 (0, 1, 2, 3 = 1 + 2) and 7 of at most 4 (1 + 3):
    # 5 / 256 < 0.025 < 7 / 256, so that the interval runs from the 4th smallest to the 4th largest average.
    assert found.interval(0.95) == pytest.approx((averages[3], averages[-4]))


def test_ties_and_zeros_count_against_a_difference() -> None:
    tied = np.array([0.01, 0.01, 0.01, -0.01, 0.02, 0.02, 0.0])
    found = signed_rank_test(tied, 12)
    broken = tied + np.linspace(1e-9, 3e-9, 7) * np.array([1, -1, 1, 1, -1, 1, -1])
    assert found.p_greater(0) >= stats.wilcoxon(broken, alternative="greater", method="exact").pvalue
    assert signed_rank_test(np.array([0.1 + 0.2 - 0.3, 0.0, 0.0]), 12).p_value() == 1
    assert rank_sum_test(np.ones(5), np.ones(5), 12).p_value() == 1
