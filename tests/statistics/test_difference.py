import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.weightstats import ttost_ind, ttost_paired

from dropout_lab.statistics.difference import DifferenceTest, compare_values, shift_test
from dropout_lab.statistics.methods import Method

# Eight seeds of two conditions; every expected value below is worked out from these.
VALUES = np.array([0.912, 0.907, 0.915, 0.909, 0.911, 0.913, 0.905, 0.914])
REFERENCE = np.array([0.905, 0.904, 0.909, 0.906, 0.902, 0.908, 0.906, 0.905])
MARGIN = 0.002

accuracies = st.floats(0, 1, allow_nan=False).map(lambda value: round(value, 4))


def compare(
    values: np.ndarray,
    reference: np.ndarray,
    *,
    paired: bool = True,
    method: Method = Method.T,
    confidence: float = 0.95,
    margin: float | None = MARGIN,
) -> DifferenceTest:
    return compare_values(
        values,
        reference,
        paired=paired,
        method=method,
        confidence=confidence,
        margin=margin,
        rng=np.random.default_rng(0),
    )


def test_paired_t_is_what_its_formulas_give() -> None:
    differences = VALUES - REFERENCE
    n, mean, sd = 8, differences.sum() / 8, math.sqrt(((differences - differences.mean()) ** 2).sum() / 7)
    standard_error = sd / math.sqrt(n)
    half_width = 2.364624251592784 * standard_error  # t quantile 0.975, 7 degrees of freedom
    found = compare(VALUES, REFERENCE)
    assert found.mean_difference == pytest.approx(mean)
    assert found.sd_difference == pytest.approx(sd)
    assert (found.ci_low, found.ci_high) == pytest.approx((mean - half_width, mean + half_width))
    assert found.p_value == pytest.approx(2 * stats.t.sf(abs(mean) / standard_error, n - 1))
    assert found.effect_size == pytest.approx(mean / sd)
    assert found.pairing_correlation == pytest.approx(np.corrcoef(VALUES, REFERENCE)[0, 1])
    assert (found.n, found.paired, found.method, found.smallest_p) == (8, True, "paired t", 0.0)


def test_unpaired_seeds_get_welchs_test_by_its_formulas() -> None:
    reference = REFERENCE[:5]
    variances = VALUES.var(ddof=1) / 8, reference.var(ddof=1) / 5
    degrees = sum(variances) ** 2 / (variances[0] ** 2 / 7 + variances[1] ** 2 / 4)
    mean, standard_error = VALUES.mean() - reference.mean(), math.sqrt(sum(variances))
    half_width = stats.t.ppf(0.975, degrees) * standard_error
    found = compare(VALUES, reference, paired=False)
    assert found.mean_difference == pytest.approx(mean)
    assert (found.ci_low, found.ci_high) == pytest.approx((mean - half_width, mean + half_width))
    assert found.p_value == pytest.approx(2 * stats.t.sf(mean / standard_error, degrees))
    pooled = math.sqrt((VALUES.var(ddof=1) + reference.var(ddof=1)) / 2)
    assert found.effect_size == pytest.approx(mean / pooled)
    assert math.isnan(found.pairing_correlation)
    assert "Welch" in found.method
    assert "unpaired" in found.method


@pytest.mark.parametrize("shift", [0.0, 0.0004, 0.0049, 0.01])
def test_equivalence_is_statsmodels_two_one_sided_tests(shift: float) -> None:
    values = VALUES - shift
    paired = ttost_paired(values, REFERENCE, -MARGIN, MARGIN)[0]
    welch = ttost_ind(values, REFERENCE, -MARGIN, MARGIN, usevar="unequal")[0]
    assert compare(values, REFERENCE).equivalence_p == pytest.approx(paired)
    assert compare(values, REFERENCE, paired=False).equivalence_p == pytest.approx(welch)
    assert math.isnan(compare(values, REFERENCE, margin=None).equivalence_p)


def bounds(values: np.ndarray, reference: np.ndarray) -> tuple[float, float]:
    test = shift_test(values, reference, paired=True, rng=np.random.default_rng(0))
    return test.lower(0.05), test.upper(0.05)


def test_one_sided_bounds_err_on_one_side_only() -> None:
    differences = VALUES - REFERENCE
    reach = 1.894578605061305 * differences.std(ddof=1) / math.sqrt(8)  # t quantile 0.95, 7 degrees
    expected = (differences.mean() - reach, differences.mean() + reach)
    assert bounds(VALUES, REFERENCE) == pytest.approx(expected)
    single = compare_values(VALUES[:1], REFERENCE[:1], paired=True, rng=np.random.default_rng(0))
    assert np.isnan([single.ci_low, single.ci_high]).all()
    # Without spread the signs decide: 1 / 2**8 allows a bound at 0.95, 1 / 2**4 does not.
    assert bounds(VALUES, VALUES + 0.1) == pytest.approx((-0.1, -0.1))
    assert bounds(VALUES[:4], VALUES[:4] + 0.1) == (-math.inf, math.inf)


@pytest.mark.parametrize("method", Method)
@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize("n", [1, 2, 5])
def test_identical_runs_differ_by_nothing_and_are_never_significant(
    method: Method, paired: bool, n: int
) -> None:
    found = compare(VALUES[:n], VALUES[:n], paired=paired, method=method)
    assert found.mean_difference == 0
    assert not found.p_value < 1
    assert n == 1 or found.ci_low <= 0 <= found.ci_high


@pytest.mark.parametrize("method", Method)
def test_a_constant_difference_is_no_stronger_than_its_signs(method: Method) -> None:
    for n, p_value in [(2, 0.5), (5, 2 / 2**5), (8, 2 / 2**8)]:
        found = compare(VALUES[:n] + 0.01, VALUES[:n], method=method)
        assert found.mean_difference == pytest.approx(0.01)
        assert found.p_value == found.smallest_p == p_value
        assert found.equivalence_p == 1
        # Only 2 / 2**8 is below 0.05, so that only 8 seeds exclude 0.
        ends = (0.01, 0.01) if n == 8 else (-math.inf, math.inf)
        assert (found.ci_low, found.ci_high) == pytest.approx(ends)
    # All labellings of 3 + 3 equal runs that separate the two groups as seen, or the other way round.
    assert compare(np.ones(3), np.zeros(3), paired=False).p_value == pytest.approx(2 / 20)


def test_equal_figures_are_equivalent_only_with_enough_seeds() -> None:
    assert compare(VALUES[:4], VALUES[:4]).equivalence_p == 1 / 2**4
    assert compare(VALUES[:5], VALUES[:5]).equivalence_p == 1 / 2**5


def test_too_few_values_leave_no_interval() -> None:
    one = compare(VALUES[:1], REFERENCE[:1])
    assert one.mean_difference == pytest.approx(VALUES[0] - REFERENCE[0])
    assert np.isnan([one.sd_difference, one.ci_low, one.ci_high, one.p_value, one.equivalence_p]).all()
    none = compare(VALUES[:0], REFERENCE)
    assert none.n == 0
    assert math.isnan(none.mean_difference)


@pytest.mark.parametrize("method", Method)
def test_two_seeds_are_enough_for_an_interval(method: Method) -> None:
    found = compare(VALUES[:2], REFERENCE[:2], method=method)
    assert found.ci_low < found.mean_difference < found.ci_high
    assert 0 < found.p_value <= 1


pairs = st.lists(st.tuples(accuracies, accuracies), min_size=2, max_size=7)
methods = st.sampled_from([Method.T, Method.SIGN_FLIP, Method.WILCOXON])


@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize("method", ["t", "bootstrap", "sign-flip", "wilcoxon"])
def test_a_plain_string_means_the_method_of_that_name(method: str, paired: bool) -> None:
    def by(name: Method | str) -> DifferenceTest:
        return compare_values(
            VALUES, REFERENCE, paired=paired, method=name, margin=MARGIN, rng=np.random.default_rng(0)
        )

    assert by(method) == by(Method(method))
    words = {"t": "t", "bootstrap": "bootstrap", "sign-flip": "exact", "wilcoxon": "Wilcoxon"}
    assert words[method] in by(method).method
    with pytest.raises(ValueError, match="anova"):
        by("anova")


@given(pairs=pairs, method=methods, paired=st.booleans())
@settings(max_examples=40)
def test_swapping_the_sides_flips_the_signs(
    pairs: list[tuple[float, float]], method: Method, paired: bool
) -> None:
    values, reference = np.array(pairs).T
    forth = compare(values, reference, method=method, paired=paired)
    back = compare(reference, values, method=method, paired=paired)
    assert back.mean_difference == pytest.approx(-forth.mean_difference, abs=1e-12)
    assert (back.ci_low, back.ci_high) == pytest.approx((-forth.ci_high, -forth.ci_low), abs=1e-12)
    assert back.p_value == pytest.approx(forth.p_value, abs=1e-9)
    assert back.equivalence_p == pytest.approx(forth.equivalence_p, abs=1e-9)


@given(pairs=pairs, method=methods, paired=st.booleans(), data=st.data())
@settings(max_examples=40)
def test_the_order_of_runs_does_not_matter(
    pairs: list[tuple[float, float]], method: Method, paired: bool, data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(pairs))
    found = compare(*np.array(pairs).T, method=method, paired=paired)
    again = compare(*np.array(shuffled).T, method=method, paired=paired)
    assert again.mean_difference == pytest.approx(found.mean_difference, abs=1e-12)
    assert (again.ci_low, again.ci_high) == pytest.approx((found.ci_low, found.ci_high), abs=1e-9)
    assert again.p_value == pytest.approx(found.p_value, abs=1e-6)


@given(
    pairs=pairs,
    paired=st.booleans(),
    method=st.sampled_from(Method),
    alpha=st.sampled_from([0.01, 0.05, 0.2]),
)
def test_the_interval_excludes_zero_exactly_if_the_test_does(
    pairs: list[tuple[float, float]], paired: bool, method: Method, alpha: float
) -> None:
    values, reference = np.array(pairs).T
    found = compare(values, reference, paired=paired, method=method, confidence=1 - alpha)
    assert found.ci_low <= found.ci_high
    if found.p_value <= alpha:  # the estimate is on the interval's side of 0
        assert found.mean_difference * (found.ci_low + found.ci_high) > 0
    assert 0 <= found.p_value <= 1
    assert 0 <= found.equivalence_p <= 1
    level = 1 - (1 - alpha)
    assume(abs(found.p_value - level) > 1e-9)
    assert (found.p_value <= level) == (found.ci_low > 0 or found.ci_high < 0)
