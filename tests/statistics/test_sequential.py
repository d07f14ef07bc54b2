import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from dropout_lab.statistics.difference import compare_values
from dropout_lab.statistics.sequential import (
    SequentialDesign,
    nominal_level,
    overall_p,
    sequential_test,
    unplanned_looks,
)

DESIGN = SequentialDesign(first=5, most=12)


def crossing_probability(looks: range, level: float, *, one_sided: bool = False) -> float:
    """Return P(p <= level at any of these consecutive looks), by numerical integration.

    Without a difference, u_n = sum / root of the sum of squares is a Markov chain: the next value divided by
    that root is a t variable with n degrees of freedom over root n, independent of all u so far, and
    u_(n+1) = (u_n + r) / root(1 + r^2). The t statistic is u root(n - 1) / root(n - u^2). The mass of u that
    has not crossed is carried from look to look on a fine grid.
    """
    first, num_cells = looks[0], 1_500

    def to_t(n: int, u: np.ndarray) -> np.ndarray:
        return u * math.sqrt(n - 1) / np.sqrt(np.maximum(n - u * u, 1e-300))

    def crossed(n: int, u: np.ndarray) -> np.ndarray:
        t = to_t(n, u)
        return stats.t.sf(t if one_sided else np.abs(t), n - 1) <= (level if one_sided else level / 2)

    probs = (np.arange(num_cells) + 0.5) / num_cells
    t = stats.t.ppf(probs, first - 1)
    u, mass = t * math.sqrt(first) / np.sqrt(first - 1 + t * t), np.full(num_cells, 1 / num_cells)
    total = float(mass[crossed(first, u)].sum())
    steps = (np.arange(600) + 0.5) / 600
    for n in looks[:-1]:
        mass = np.where(crossed(n, u), 0.0, mass)
        r = stats.t.ppf(steps, n) / math.sqrt(n)
        following = (u[:, None] + r) / np.sqrt(1 + r * r)
        weights = np.repeat(mass / len(r), len(r))
        if n + 1 == looks[-1]:
            return total + float(weights[crossed(n + 1, following).ravel()].sum())
        edges = np.linspace(-math.sqrt(n + 1), math.sqrt(n + 1), num_cells + 1)
        mass = np.histogram(following.ravel(), edges, weights=weights)[0]
        u = (edges[1:] + edges[:-1]) / 2
        total += float(mass[crossed(n + 1, u)].sum())
    return total


@pytest.mark.parametrize("one_sided", [False, True])
@pytest.mark.parametrize("alpha", [0.1, 0.05, 0.01])
def test_the_level_of_two_looks_is_that_of_numerical_integration(alpha: float, one_sided: bool) -> None:
    design = SequentialDesign(first=5, most=6)
    level = nominal_level(design, alpha, one_sided=one_sided)
    # Four standard errors of 200,000 paths.
    tolerance = 4 * math.sqrt(alpha * (1 - alpha) / 200_000) + 1e-4
    assert crossing_probability(range(5, 7), level, one_sided=one_sided) == pytest.approx(
        alpha, abs=tolerance
    )


def test_the_level_of_eight_looks_is_that_of_numerical_integration() -> None:
    level = nominal_level(DESIGN, 0.05)
    assert crossing_probability(range(5, 13), level) == pytest.approx(0.05, abs=0.003)


def test_several_conditions_share_the_error_rate() -> None:
    assert nominal_level(DESIGN, 0.05, num_conditions=5) == nominal_level(DESIGN, 0.01)
    assert nominal_level(DESIGN, 0.01) < nominal_level(DESIGN, 0.05) < 0.05


def test_a_single_look_is_the_fixed_test() -> None:
    fixed = SequentialDesign(first=6, most=6)
    values, reference = np.random.default_rng(0).normal(size=(2, 6))
    found = sequential_test(values, reference, fixed, margin=0.5)
    expected = compare_values(values, reference, paired=True, margin=0.5, rng=np.random.default_rng(0))
    assert (found.p_value, found.equivalence_p) == pytest.approx((expected.p_value, expected.equivalence_p))
    assert (found.ci_low, found.ci_high) == pytest.approx((expected.ci_low, expected.ci_high))
    assert nominal_level(fixed, 0.05) == 0.05


def test_every_look_is_the_paired_t_test() -> None:
    rng = np.random.default_rng(4)
    values, reference = rng.normal(0.9, 0.003, 12), rng.normal(0.898, 0.003, 12)
    tests = [
        compare_values(values[:n], reference[:n], paired=True, margin=0.004, rng=rng) for n in DESIGN.looks
    ]
    found = sequential_test(values, reference, DESIGN, margin=0.004)
    assert found.p_value == overall_p(DESIGN, min(test.p_value for test in tests))
    smallest = min(test.equivalence_p for test in tests)
    assert found.equivalence_p == overall_p(DESIGN, smallest, one_sided=True)
    confidence = 1 - nominal_level(DESIGN, 0.05)
    intervals = [
        stats.ttest_rel(values[:n], reference[:n]).confidence_interval(confidence) for n in DESIGN.looks
    ]
    ends = max(low for low, _ in intervals), min(high for _, high in intervals)
    assert (found.ci_low, found.ci_high) == pytest.approx(ends)


def test_looks_end_with_most_whatever_the_step() -> None:
    design = SequentialDesign(first=5, most=12, step=3)
    assert design.looks == (5, 8, 11, 12)
    assert design.looks_until(10) == (5, 8)
    assert design.looks_until(4) == ()
    for wrong in ({"first": 1, "most": 5}, {"first": 5, "most": 4}, {"first": 5, "most": 9, "step": 0}):
        with pytest.raises(ValueError, match="sequential design"):
            SequentialDesign(**wrong)


def test_a_thousand_looks_are_calibrated_with_fewer_paths() -> None:
    level = nominal_level(SequentialDesign(first=2, most=1_000), 0.05)
    assert 0.0005 < level < nominal_level(SequentialDesign(first=2, most=1_000, step=100), 0.05)


def test_before_the_first_look_nothing_is_known() -> None:
    found = sequential_test(np.ones(4), np.zeros(4), DESIGN, margin=0.1)
    assert found.looks == ()
    assert np.isnan([found.p_value, found.equivalence_p, found.ci_low, found.ci_high]).all()


@given(seed=st.integers(0, 2_000), n=st.integers(5, 12), effect=st.sampled_from([0.0, 0.8, 1.6]))
@settings(max_examples=60)
def test_the_repeated_interval_excludes_zero_exactly_if_the_test_does(
    seed: int, n: int, effect: float
) -> None:
    values = np.random.default_rng(seed).normal(effect, 1, n)
    found = sequential_test(values, np.zeros(n), DESIGN, margin=1.0)
    assert (found.p_value <= 1 - 0.95) == (found.ci_low > 0 or found.ci_high < 0)
    # No p-value rises with more looks.
    earlier = sequential_test(values[:5], np.zeros(5), DESIGN, margin=1.0)
    assert found.p_value <= earlier.p_value
    assert found.equivalence_p <= earlier.equivalence_p


def test_equal_values_are_equivalent_by_their_signs_only() -> None:
    values = np.linspace(0.8, 0.9, 12)
    few = sequential_test(values[:5], values[:5], DESIGN, margin=0.01)
    many = sequential_test(values, values, DESIGN, margin=0.01)
    # 1 / 2**5 at the first look, 1 / 2**12 at the last.
    assert few.equivalence_p == overall_p(DESIGN, 1 / 2**5, one_sided=True) > 0.05
    assert many.equivalence_p == overall_p(DESIGN, 1 / 2**12, one_sided=True) < 0.01
    assert many.p_value == 1


@pytest.mark.parametrize("margin", [0.7, 1.5, 20.0])
def test_equivalence_at_the_margin_errs_at_most_at_its_level(margin: float) -> None:
    rng = np.random.default_rng(int(10 * margin))
    num = 20_000
    level = nominal_level(DESIGN, 0.05, one_sided=True)
    values = rng.normal(margin, 1, (num, 12))
    wrong = np.zeros(num, dtype=bool)
    for n in DESIGN.looks:
        errors = values[:, :n].std(1, ddof=1) / math.sqrt(n)
        reach = stats.t.isf(level, n - 1) * errors
        wrong |= np.abs(values[:, :n].mean(1)) + reach <= margin
    error = 4 * math.sqrt(0.05 * 0.95 / num)
    assert wrong.mean() <= 0.05 + error
    if margin == 20:  # the least favorable case
        assert wrong.mean() >= 0.05 - error


def test_unplanned_looks_have_the_error_rate_of_numerical_integration() -> None:
    found = unplanned_looks([5, 6, 7], 0.05)
    assert found.error_rate == pytest.approx(crossing_probability(range(5, 8), 0.05), abs=0.003)
    assert found.standard_error == pytest.approx(math.sqrt(found.error_rate * 0.93 / 200_000), rel=0.05)


def test_unplanned_looks_count_each_look_once() -> None:
    assert unplanned_looks([], 0.05).error_rate == 0
    assert unplanned_looks([8, 8], 0.05).error_rate == 0.05
    twice, often = unplanned_looks([5, 10], 0.05), unplanned_looks([5, 10, 20, 240], 0.05)
    assert 0.05 < twice.error_rate < 0.1 < often.error_rate < 0.2
    assert unplanned_looks([5, 10], 0.05, num_conditions=4).error_rate == pytest.approx(
        4 * unplanned_looks([5, 10], 0.0125).error_rate
    )
