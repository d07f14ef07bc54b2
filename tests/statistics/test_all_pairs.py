import math

import numpy as np
import pytest
from scipy import stats

from dropout_lab.statistics.all_pairs import all_pairs, rank_conditions
from dropout_lab.statistics.difference import compare_values
from dropout_lab.statistics.multiplicity import holm

RNG = np.random.default_rng(3)
VALUES = RNG.normal([[0.0], [0.3], [1.5], [1.6]], 0.4, (4, 10)) + RNG.normal(size=10)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize("method", ["t", "wilcoxon"])
def test_each_pair_is_the_comparison_of_two_conditions_corrected_over_all(method: str) -> None:
    found = all_pairs(VALUES, method=method, rng=rng())
    assert [(pair.first, pair.second) for pair in found] == [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
    alone = [
        compare_values(VALUES[pair.first], VALUES[pair.second], paired=True, method=method, rng=rng())
        for pair in found
    ]
    for pair, one in zip(found, alone, strict=True):
        assert (pair.mean_difference, pair.p_value) == (one.mean_difference, one.p_value)
        assert (pair.ci_low, pair.ci_high) == (one.ci_low, one.ci_high)
    assert [pair.p_adjusted for pair in found] == holm([one.p_value for one in alone])


def test_simultaneous_intervals_hold_all_truths_together() -> None:
    generator, held, num = np.random.default_rng(1), 0, 500
    for _ in range(num):
        pairs = all_pairs(generator.normal(size=(4, 6)), confidence=0.8, rng=rng())
        held += all(pair.simultaneous_low <= 0 <= pair.simultaneous_high for pair in pairs)
    assert held / num > 0.8 - 3 * math.sqrt(0.16 / num)


def test_the_critical_difference_is_demsars() -> None:
    # Demsar 2006, table 5 (a): q at 0.05 is 1.960, 2.343, 2.569 for 2, 3, 4; CD = q root(k (k + 1) / 6 n).
    for k, q in ((2, 1.960), (3, 2.343), (4, 2.569)):
        found = rank_conditions(VALUES[:k], higher_is_better=True)
        assert found.critical_difference == pytest.approx(q * math.sqrt(k * (k + 1) / 60), abs=0.002)


def test_the_best_condition_has_the_lowest_mean_rank() -> None:
    higher = rank_conditions(VALUES, higher_is_better=True)
    lower = rank_conditions(VALUES, higher_is_better=False)
    assert higher.mean_ranks[0] > higher.mean_ranks[2]
    assert np.add(higher.mean_ranks, lower.mean_ranks) == pytest.approx(np.full(4, 5.0))
    assert higher.friedman_p == pytest.approx(stats.friedmanchisquare(*VALUES).pvalue)


def test_groups_are_the_longest_runs_within_the_critical_difference() -> None:
    found = rank_conditions(VALUES, higher_is_better=True)
    assert found.groups
    for group in found.groups:
        ranks = [found.mean_ranks[index] for index in group]
        assert ranks == sorted(ranks)
        assert ranks[-1] - ranks[0] < found.critical_difference
        assert not any(set(group) < set(other) for other in found.groups)
    same = rank_conditions(np.ones((3, 5)), higher_is_better=True)
    assert same.mean_ranks == (2.0, 2.0, 2.0)
    assert same.groups == ((0, 1, 2),)
    assert math.isnan(same.friedman_p)


def test_one_condition_has_no_pairs() -> None:
    assert all_pairs(VALUES[:1], rng=rng()) == ()
