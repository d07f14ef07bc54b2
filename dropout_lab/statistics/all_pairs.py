"""All pairs of several conditions, without a reference, and a ranking of the conditions."""

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy import stats

from dropout_lab.statistics.difference import shift_test
from dropout_lab.statistics.methods import Method
from dropout_lab.statistics.multiplicity import holm
from dropout_lab.statistics.shift_tests import Values


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two conditions, by their index.

    Attributes:
        mean_difference: First minus second; the estimate that belongs to the test.
        ci_low, ci_high: Interval of this pair alone.
        simultaneous_low, simultaneous_high: Interval corrected over all pairs (Bonferroni).
        p_value: Two-sided p-value of this pair alone.
        p_adjusted: Holm's adjusted p-value over all pairs.
    """

    first: int
    second: int
    mean_difference: float
    ci_low: float
    ci_high: float
    simultaneous_low: float
    simultaneous_high: float
    p_value: float
    p_adjusted: float


def all_pairs(
    values: Values,
    *,
    confidence: float = 0.95,
    method: Method | str = Method.T,
    rng: np.random.Generator,
    num_pairs: int | None = None,
) -> tuple[Pair, ...]:
    """Test all pairs of conditions, paired by seed.

    Args:
        values: (num_conditions, n), the columns being the shared seeds; n at least 2.
        confidence: Level of the intervals; simultaneous ones have it over all pairs together.
        method: The test.
        rng: Argument of `shift_test`.
        num_pairs: Pairs in all, if there are others whose conditions are not given. [default: these]
    """
    indices = list(combinations(range(len(values)), 2))
    if not indices:
        return ()
    tests = [shift_test(values[i], values[j], paired=True, method=method, rng=rng) for i, j in indices]
    p_values = [test.p_value() for test in tests]
    simultaneous = 1 - (1 - confidence) / max(len(tests), num_pairs or 0)
    pairs = []
    for (first, second), test, p_value, adjusted in zip(
        indices, tests, p_values, holm(p_values, num_pairs), strict=True
    ):
        ci_low, ci_high = test.interval(confidence)
        simultaneous_low, simultaneous_high = test.interval(simultaneous)
        pairs.append(
            Pair(
                first=first,
                second=second,
                mean_difference=test.estimate,
                ci_low=ci_low,
                ci_high=ci_high,
                simultaneous_low=simultaneous_low,
                simultaneous_high=simultaneous_high,
                p_value=p_value,
                p_adjusted=adjusted,
            )
        )
    return tuple(pairs)


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """Mean ranks of conditions over seeds, for a critical difference plot.

    Attributes:
        mean_ranks: (num_conditions,): 1 is the best; ties share their mean rank.
        critical_difference: Conditions whose mean ranks differ by less are not significantly different.
        friedman_p: P-value for equal ranks of all conditions; NaN for fewer than 3.
        groups: Maximal sets of conditions, best first, whose mean ranks differ by less than the critical
            difference; only sets of at least 2.
    """

    mean_ranks: tuple[float, ...]
    critical_difference: float
    friedman_p: float
    groups: tuple[tuple[int, ...], ...]


def rank_conditions(values: Values, *, higher_is_better: bool, alpha: float = 0.05) -> Ranking:
    """Rank conditions within each seed, with Nemenyi's critical difference of the mean ranks.

    Source: Demsar 2006, https://jmlr.org/papers/v7/demsar06a.html.

    Args:
        values: (num_conditions, n), the columns being the shared seeds.
        higher_is_better: Whether the highest value has rank 1.
        alpha: Error rate over all pairs.
    """
    num_conditions, n = values.shape
    ranks = stats.rankdata(-values if higher_is_better else values, axis=0).mean(axis=1)
    # The studentized range of infinitely many degrees; its quantile function takes a large number for it.
    quantile = float(stats.studentized_range.isf(alpha, num_conditions, 1e5))
    critical = quantile * math.sqrt(num_conditions * (num_conditions + 1) / (12 * n))
    varies = num_conditions >= 3 and any(np.ptp(values, axis=0) > 0)
    return Ranking(
        mean_ranks=tuple(float(rank) for rank in ranks),
        critical_difference=critical,
        friedman_p=float(stats.friedmanchisquare(*values).pvalue) if varies else math.nan,
        groups=_groups(ranks, critical),
    )


def _groups(ranks: Values, critical: float) -> tuple[tuple[int, ...], ...]:
    order = [int(index) for index in np.argsort(ranks, kind="stable")]
    groups: list[tuple[int, ...]] = []
    reached = 0
    for start, best in enumerate(order):
        end = max(i for i in range(start, len(order)) if ranks[order[i]] - ranks[best] < critical) + 1
        if end - start >= 2 and end > reached:
            groups.append(tuple(order[start:end]))
        reached = max(reached, end)
    return tuple(groups)
