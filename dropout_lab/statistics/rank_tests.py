"""Wilcoxon's two tests (Wilcoxon 1945, doi:10.2307/3001968), with the Hodges-Lehmann estimate and interval.

Estimate and interval: Hodges & Lehmann 1963, doi:10.1214/aoms/1177704172. Ties with the tested difference
count against it: the tests keep their level with ties too, and their p-values match their intervals.
"""

import math
from functools import lru_cache

import numpy as np
from scipy import special

from dropout_lab.statistics.shift_tests import CountingTest, Values

_MAX_EXACT_RANKS = 150
_MAX_EXACT_PAIRS = 2_500


def signed_rank_test(differences: Values, decimals: int) -> CountingTest:
    """Return the signed-rank test of paired differences.

    Args:
        differences: (n,), at least 2.
        decimals: Digits to which averages are rounded.
    """
    first, second = np.triu_indices(len(differences))
    averages = (differences[first] + differences[second]) / 2
    return _from_pairs(averages, _signed_rank_cdf(len(differences)), decimals, "Wilcoxon signed-rank")


def rank_sum_test(values: Values, reference: Values, decimals: int) -> CountingTest:
    """Return the rank-sum (Mann-Whitney) test of unpaired values.

    Args:
        values, reference: (n,) and (m,), at least 1 each.
        decimals: Digits to which differences are rounded.
    """
    pairs = np.subtract.outer(values, reference).ravel()
    cdf = _rank_sum_cdf(*sorted((len(values), len(reference))))
    return _from_pairs(pairs, cdf, decimals, "Wilcoxon rank-sum (unpaired)")


def _from_pairs(pairs: Values, cdf: Values, decimals: int, name: str) -> CountingTest:
    pairs = np.sort(np.round(pairs, decimals))
    return CountingTest(
        name=name,
        estimate=float(np.median(pairs)),
        low_values=pairs,
        high_values=pairs,
        p_by_count=cdf,
        decimals=decimals,
    )


@lru_cache(maxsize=64)
def _signed_rank_cdf(n: int) -> Values:
    """Return P(W <= w) for w = 0 ... n (n + 1) / 2 if there is no difference."""
    largest = n * (n + 1) // 2
    if n > _MAX_EXACT_RANKS:
        return _normal_cdf(largest, n * (n + 1) * (2 * n + 1) / 24)
    probs = np.zeros(largest + 1)
    probs[0] = 1.0
    for rank in range(1, n + 1):
        probs[rank:] += probs[:-rank].copy()
        probs /= 2
    return np.minimum(np.cumsum(probs), 1.0)


@lru_cache(maxsize=64)
def _rank_sum_cdf(n: int, m: int) -> Values:
    """Return P(U <= u) for u = 0 ... n m if there is no difference."""
    if n * m > _MAX_EXACT_PAIRS:
        return _normal_cdf(n * m, n * m * (n + m + 1) / 12)
    smallest = n * (n + 1) // 2
    # counts[chosen, total]: choices of so many ranks with this sum
    counts = np.zeros((n + 1, smallest + n * m + 1))
    counts[0, 0] = 1.0
    for rank in range(1, n + m + 1):
        counts[1:, rank:] += counts[:-1, :-rank].copy()
    chosen = counts[n, smallest:]
    return np.minimum(np.cumsum(chosen) / math.comb(n + m, n), 1.0)


def _normal_cdf(largest: int, variance: float) -> Values:
    return special.ndtr((np.arange(largest + 1) + 0.5 - largest / 2) / math.sqrt(variance))
