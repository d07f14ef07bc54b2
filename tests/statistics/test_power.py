import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import TTestIndPower, TTestPower

from dropout_lab.statistics.methods import Method
from dropout_lab.statistics.power import (
    detectable_difference,
    power_of_difference,
    power_of_equivalence,
    seeds_for_power,
    seeds_to_decide,
    smallest_num_seeds,
)


def test_power_of_pairs_is_that_of_the_noncentral_t() -> None:
    n, difference, sd = 10, 0.003, 0.0029
    critical = stats.t.isf(0.025, n - 1)
    noncentrality = difference / sd * math.sqrt(n)
    expected = stats.nct.sf(critical, n - 1, noncentrality) + stats.nct.cdf(-critical, n - 1, noncentrality)
    assert power_of_difference(difference, sd, n) == pytest.approx(expected)
    assert power_of_difference(-difference, sd, n) == pytest.approx(expected)
    assert power_of_difference(difference, sd, n) == pytest.approx(
        TTestPower().power(difference / sd, n, 0.05)
    )


def test_power_of_unpaired_seeds_is_in_standard_deviations_of_one_run() -> None:
    sd_of_run = 0.002
    expected = TTestIndPower().power(0.003 / sd_of_run, 10, 0.05)
    found = power_of_difference(0.003, math.sqrt(2) * sd_of_run, 10, paired=False)
    assert found == pytest.approx(expected)


def test_several_conditions_share_the_error_rate() -> None:
    assert power_of_difference(0.003, 0.003, 12, num_comparisons=8) == pytest.approx(
        TTestPower().power(1.0, 12, 0.05 / 8)
    )


@pytest.mark.parametrize("difference", [0.01, 0.1, 1.0, 1e6])
def test_power_of_plain_differences_is_one_not_nan(difference: float) -> None:
    assert power_of_difference(difference, 0.001, 30) == pytest.approx(1.0)


@pytest.mark.parametrize(("paired", "degrees"), [(True, 11), (False, 22)])
def test_power_of_equivalence_is_what_simulation_gives(paired: bool, degrees: int) -> None:
    rng = np.random.default_rng(2)
    n, sd, margin, difference = 12, 0.0025, 0.002, 0.0003
    means = rng.normal(difference, sd / math.sqrt(n), 200_000)
    errors = sd / math.sqrt(n) * np.sqrt(rng.chisquare(degrees, 200_000) / degrees)
    reach = stats.t.isf(0.05, degrees) * errors
    simulated = np.mean((means - reach > -margin) & (means + reach < margin))
    found = power_of_equivalence(difference, sd, n, margin=margin, paired=paired)
    assert found == pytest.approx(simulated, abs=0.005)


def test_power_of_equivalence_at_the_margin_is_at_most_the_error_rate() -> None:
    assert power_of_equivalence(0.002, 0.0005, 30, margin=0.002) == pytest.approx(0.05, abs=0.001)
    assert power_of_equivalence(0.0, 0.0, 5, margin=0.002) == 1
    assert power_of_equivalence(0.003, 0.0, 5, margin=0.002) == 0


@pytest.mark.parametrize("paired", [True, False])
def test_power_without_certain_noise_is_averaged_over_it(paired: bool) -> None:
    sds = 0.003 * np.sqrt(4 / stats.chi2.rvs(4, size=4_000, random_state=1))
    expected = np.mean([power_of_difference(0.003, sd, 12, paired=paired) for sd in sds])
    found = power_of_difference(0.003, 0.003, 12, sd_degrees=4, paired=paired)
    assert found == pytest.approx(expected, abs=0.015)
    expected = np.mean([power_of_equivalence(0.0, sd, 12, margin=0.002, paired=paired) for sd in sds[:500]])
    found = power_of_equivalence(0.0, 0.003, 12, margin=0.002, sd_degrees=4, paired=paired)
    assert found == pytest.approx(expected, abs=0.04)


@pytest.mark.parametrize("num_pairs", [2, 3, 5, 10])
def test_a_plan_from_few_pairs_keeps_its_power_on_average(num_pairs: int) -> None:
    # Over plans from many measured standard deviations, the true one being 1.
    degrees, difference = num_pairs - 1, 0.8
    powers = []
    for sd in np.sqrt(stats.chi2.ppf((np.arange(60) + 0.5) / 60, degrees) / degrees):
        n = seeds_for_power(
            lambda seeds, sd=sd: power_of_difference(difference, sd, seeds, sd_degrees=degrees), 0.8
        )
        assert n is not None
        powers.append(power_of_difference(difference, 1.0, n))
    assert np.mean(powers) == pytest.approx(0.8, abs=0.03)
    naive = seeds_for_power(lambda seeds: power_of_difference(difference, 2.0, seeds), 0.8)
    careful = seeds_for_power(
        lambda seeds: power_of_difference(difference, 2.0, seeds, sd_degrees=degrees), 0.8
    )
    assert naive is not None
    assert careful is not None
    assert careful > naive


def test_seeds_for_power_is_the_first_that_suffices() -> None:
    # Smallest detectable differences of the paired t test at a standard deviation of 0.29 points.
    for n, difference in [(5, 0.0049), (10, 0.0029), (20, 0.0019)]:
        found = seeds_for_power(lambda seeds, d=difference: power_of_difference(d, 0.0029, seeds), 0.8)
        assert found is not None
        assert abs(found - n) <= 1
        assert power_of_difference(difference, 0.0029, found) >= 0.8
        assert power_of_difference(difference, 0.0029, found - 1) < 0.8
    assert seeds_for_power(lambda _: 0.5, 0.8) is None
    assert seeds_for_power(lambda _: 1.0, 0.8) == 2
    assert seeds_for_power(lambda seeds: float(seeds >= 7), 0.8, smallest=3) == 7


def test_sign_tests_need_enough_pairs_to_reach_their_threshold() -> None:
    # 2 / 2**5 > 0.05 >= 2 / 2**6; over 8 conditions 2 / 2**8 > 0.05 / 8 >= 2 / 2**9
    assert smallest_num_seeds(Method.SIGN_FLIP) == 6
    assert smallest_num_seeds(Method.WILCOXON, num_comparisons=8) == 9
    assert smallest_num_seeds("wilcoxon", num_comparisons=8) == 9
    assert smallest_num_seeds(Method.T, num_comparisons=8) == 2
    # Of 4**4 resamples of 4 values 4 repeat one of them: 4 / 4**4 > 0.0125 >= 5 / 5**5
    assert smallest_num_seeds(Method.BOOTSTRAP, num_comparisons=4) == 5


def test_a_comparison_is_decided_by_the_cheaper_of_difference_and_equivalence() -> None:
    no_margin = seeds_to_decide(0.001, 0.003, margin=None)
    assert no_margin == seeds_for_power(lambda n: power_of_difference(0.001, 0.003, n), 0.8)
    none_at_all = seeds_to_decide(0.0, 0.003, margin=0.002)
    assert none_at_all == seeds_for_power(lambda n: power_of_equivalence(0, 0.003, n, margin=0.002), 0.8)
    small = seeds_to_decide(0.0001, 0.003, margin=0.002)
    assert small is not None
    assert none_at_all is not None
    assert none_at_all <= small < no_margin  # type: ignore[operator]
    assert seeds_to_decide(0.0, 0.003, margin=None) is None
    assert seeds_to_decide(0.01, 0.001, margin=None, method=Method.SIGN_FLIP) == 6


@pytest.mark.parametrize("sd_degrees", [9, math.inf])
def test_the_detectable_difference_has_the_power(sd_degrees):
    found = detectable_difference(0.002, 10, sd_degrees=sd_degrees, num_comparisons=3)
    power = power_of_difference(found, 0.002, 10, sd_degrees=sd_degrees, num_comparisons=3)
    assert power == pytest.approx(0.8, abs=0.002)


def test_hopeless_power_has_no_detectable_difference():
    assert detectable_difference(0.002, 2, sd_degrees=1, power=0.999) == math.inf
