import math

import numpy as np
import pytest
from scipy import stats

from dropout_lab.statistics.power import power_of_difference, power_of_equivalence
from dropout_lab.statistics.sequential import SequentialDesign, nominal_level
from dropout_lab.statistics.sequential_power import (
    bias_adjusted_mean,
    expected_characteristics,
    operating_characteristics,
)

DESIGN = SequentialDesign(first=5, most=20)


def fixed(n: int) -> SequentialDesign:
    return SequentialDesign(first=n, most=n)


@pytest.mark.parametrize("effect", [0.0, 0.5, 1.0])
def test_one_look_has_the_power_of_the_fixed_test(effect: float) -> None:
    found = operating_characteristics(fixed(10), effect, None)
    total = found.difference_found + found.wrong_direction
    expected = power_of_difference(effect, 1.0, 10) if effect else 0.05
    assert total == pytest.approx(expected, abs=0.015)
    assert found.expected_seeds == 10
    assert found.mean_estimate == pytest.approx(effect, abs=0.01)


def test_one_look_shows_equivalence_as_often_as_the_fixed_test() -> None:
    found = operating_characteristics(fixed(12), 0.1, 0.8)
    assert found.equivalent == pytest.approx(power_of_equivalence(0.1, 1.0, 12, margin=0.8), abs=0.015)


def test_characteristics_are_those_of_single_simulated_comparisons() -> None:
    rng, level = np.random.default_rng(5), nominal_level(DESIGN, 0.05)
    equivalence_level = nominal_level(DESIGN, 0.05, one_sided=True)
    outcomes, seeds, means = [], [], []
    for _ in range(1_500):
        values = rng.normal(0.6, 1, 20)
        for n in DESIGN.looks:
            mean, error = values[:n].mean(), values[:n].std(ddof=1) / math.sqrt(n)
            equivalent = max(
                stats.t.sf((0.8 - mean) / error, n - 1), stats.t.cdf(-(mean + 0.8) / error, n - 1)
            )
            if equivalent <= equivalence_level or 2 * stats.t.sf(abs(mean) / error, n - 1) <= level:
                outcomes.append("equivalent" if equivalent <= equivalence_level else "found")
                break
        else:
            outcomes.append("undecided")
        seeds.append(n)
        means.append(mean)
    found = operating_characteristics(DESIGN, 0.6, 0.8)
    for name, share in (
        ("found", found.difference_found + found.wrong_direction),
        ("equivalent", found.equivalent),
        ("undecided", found.undecided),
    ):
        assert outcomes.count(name) / 1_500 == pytest.approx(share, abs=0.05)
    assert np.mean(seeds) == pytest.approx(found.expected_seeds, abs=0.6)
    assert np.mean(means) == pytest.approx(found.mean_estimate, abs=0.05)
    assert sum(found.stop_probs) == pytest.approx(1)


def test_the_sign_of_the_effect_only_turns_the_estimate() -> None:
    up, down = (operating_characteristics(DESIGN, effect, None) for effect in (0.7, -0.7))
    assert down.mean_estimate == -up.mean_estimate
    assert down.difference_found == up.difference_found


def test_the_adjusted_estimate_is_less_biased_than_the_mean() -> None:
    rng, level = np.random.default_rng(9), nominal_level(DESIGN, 0.05)
    raw, adjusted = [], []
    for _ in range(1_500):
        values = rng.normal(0.8, 1, 20)
        for n in DESIGN.looks:
            mean, sd = values[:n].mean(), values[:n].std(ddof=1)
            if 2 * stats.t.sf(abs(mean) / sd * math.sqrt(n), n - 1) <= level:
                break
        raw.append(mean)
        adjusted.append(bias_adjusted_mean(mean, sd, DESIGN))
    assert np.mean(raw) - 0.8 > 0.08
    assert abs(np.mean(adjusted) - 0.8) < 0.5 * abs(np.mean(raw) - 0.8)


def test_the_adjustment_is_odd_and_spares_what_stops_at_once() -> None:
    assert bias_adjusted_mean(-1.2, 1.0, DESIGN) == -bias_adjusted_mean(1.2, 1.0, DESIGN)
    assert 0 < bias_adjusted_mean(1.2, 1.0, DESIGN) < 1.2
    assert bias_adjusted_mean(0.0, 1.0, DESIGN) == 0
    assert bias_adjusted_mean(50.0, 1.0, DESIGN) == 50
    assert bias_adjusted_mean(0.3, 1.0, fixed(10)) == 0.3
    assert bias_adjusted_mean(0.3, 0.0, DESIGN) == 0.3


def test_uncertain_noise_is_averaged_over() -> None:
    found = expected_characteristics(fixed(12), 0.003, 0.003, 0.002, sd_degrees=4)
    power = power_of_difference(0.003, 0.003, 12, sd_degrees=4)
    # Comparisons that are called equivalent first are not found different.
    assert found.difference_found == pytest.approx(power - found.equivalent, abs=0.04)
    known = expected_characteristics(DESIGN, 0.003, 0.003, 0.002)
    plain = operating_characteristics(DESIGN, 1.0, 2 / 3)
    assert known.difference_found == plain.difference_found
    assert known.expected_seeds == plain.expected_seeds
    assert known.mean_estimate == pytest.approx(0.003 * plain.mean_estimate)
    assert sum(known.stop_probs) == pytest.approx(1)
