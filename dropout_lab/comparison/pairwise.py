"""Compare all pairs of conditions without a reference, and rank the conditions."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dropout_lab.errors import UsageError
from dropout_lab.evaluation.metrics import metric_info
from dropout_lab.seeds import generator
from dropout_lab.statistics.all_pairs import Ranking, all_pairs, rank_conditions
from dropout_lab.statistics.methods import Method


@dataclass(frozen=True, kw_only=True)
class PairDifference:
    """Difference between two conditions.

    Attributes:
        mean_difference: First minus second.
        ci_low, ci_high: Interval that holds for all pairs together.
        p_adjusted: p-value adjusted for all pairs (Holm); NaN if nothing was tested.
        is_significant: Whether `p_adjusted` is at most 1 - confidence.
    """

    first: str
    second: str
    mean_difference: float
    ci_low: float
    ci_high: float
    p_adjusted: float
    is_significant: bool


@dataclass(frozen=True, kw_only=True)
class AllPairs:
    """All pairs of conditions in one metric, paired by the seeds that all of them share.

    Attributes:
        conditions: Best mean rank first.
        num_seeds: Shared seeds.
        num_pairs: Pairs that intervals and p-values are adjusted for.
        is_tested: Whether the seeds are those that were planned for one test.
        pairs: All pairs, in order of conditions.
        mean_ranks: Mean rank over seeds by condition; 1 is best (highest, if no direction is known).
        critical_difference: Nemenyi's critical difference of two mean ranks.
        friedman_p: p-value for equal ranks of all conditions; NaN for two, or if nothing was tested.
        groups: Sets of conditions whose mean ranks differ by less than the critical difference.
    """

    metric: str
    conditions: tuple[str, ...]
    num_seeds: int
    num_pairs: int
    is_tested: bool
    pairs: tuple[PairDifference, ...]
    mean_ranks: Mapping[str, float]
    critical_difference: float
    friedman_p: float
    groups: tuple[tuple[str, ...], ...]


def compare_all_pairs(
    metric: str,
    values: Mapping[str, Mapping[int, float]],
    *,
    confidence: float = 0.95,
    method: Method = Method.T,
    num_conditions: int | None = None,
    is_tested: bool = True,
) -> AllPairs:
    """Compare all pairs of conditions in one metric.

    Args:
        metric: Its name.
        values: Values by condition and seed.
        confidence: Level over all pairs together.
        method: How differences are tested.
        num_conditions: Conditions whose pairs count, whether they are among these or not. [default: these]
        is_tested: Whether the seeds are those that were planned for one test. If not, there are no p-values.

    Raises:
        UsageError: If there are fewer than two conditions, or all of them share fewer than two seeds.
    """
    seeds = sorted(set.intersection(*(set(by_seed) for by_seed in values.values())))
    if len(values) < 2 or len(seeds) < 2:
        raise UsageError(
            f"--all-pairs: needs two conditions and two seeds that all share, found "
            f"{len(values)} and {len(seeds)}"
        )
    names = tuple(values)
    table = np.array([[values[name][seed] for seed in seeds] for name in names])
    higher_is_better = metric_info(metric).higher_is_better is not False
    ranking = rank_conditions(table, higher_is_better=higher_is_better, alpha=1 - confidence)
    rng = generator(0, "bootstrap", metric)
    num_pairs = math.comb(max(len(names), num_conditions or 0), 2)
    pairs = all_pairs(table, confidence=confidence, method=method, rng=rng, num_pairs=num_pairs)
    return AllPairs(
        metric=metric,
        conditions=_in_order(names, ranking),
        num_seeds=len(seeds),
        num_pairs=num_pairs,
        is_tested=is_tested,
        pairs=tuple(
            PairDifference(
                first=names[pair.first],
                second=names[pair.second],
                mean_difference=pair.mean_difference,
                ci_low=pair.simultaneous_low,
                ci_high=pair.simultaneous_high,
                p_adjusted=pair.p_adjusted if is_tested else math.nan,
                is_significant=is_tested and pair.p_adjusted <= 1 - confidence,
            )
            for pair in pairs
        ),
        mean_ranks=dict(zip(names, ranking.mean_ranks, strict=True)),
        critical_difference=ranking.critical_difference,
        friedman_p=ranking.friedman_p if is_tested else math.nan,
        groups=tuple(tuple(names[index] for index in group) for group in ranking.groups),
    )


def _in_order(names: Sequence[str], ranking: Ranking) -> tuple[str, ...]:
    return tuple(names[index] for index in np.argsort(ranking.mean_ranks, kind="stable"))
