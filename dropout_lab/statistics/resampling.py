"""Tests that reuse the values themselves instead of assuming how they are distributed."""

import itertools
import math

import numpy as np

from dropout_lab.statistics.shift_tests import CountingTest, Values

NUM_RESAMPLES = 9_999
MAX_EXACT = 2**16
"""Sign patterns or relabellings that are all tried; if there are more, NUM_RESAMPLES of them are drawn."""
DIGITS = 12
"""Values that agree in so many digits are tied: the rest is rounding."""


def decimals_for(*values: Values) -> int:
    """Return the decimals that leave the largest of these values `DIGITS` digits."""
    largest = max(float(np.abs(one).max()) for one in values)
    return DIGITS - math.ceil(math.log10(largest)) if largest > 0 else DIGITS


def sign_flip_test(differences: Values, decimals: int, rng: np.random.Generator) -> CountingTest:
    """Return the sign-flip test of paired differences (Fisher 1935, The Design of Experiments, section 21).

    Flipping the signs of a subset of the differences from a tested value raises their sum exactly if the
    subset's mean is below that value. So the p-value counts the subsets whose mean is.

    Args:
        differences: (n,), at least 2.
        decimals: Digits to which means are rounded.
        rng: Draws sign patterns if there are more than `MAX_EXACT`.
    """
    n = len(differences)
    exact = 2**n <= MAX_EXACT
    if exact:
        sums, sizes = np.zeros(1), np.zeros(1)
        for difference in differences:
            sums, sizes = np.concatenate([sums, sums + difference]), np.concatenate([sizes, sizes + 1])
        sums, sizes = sums[1:], sizes[1:]
    else:
        flips = rng.integers(0, 2, (NUM_RESAMPLES, n))
        sums, sizes = flips @ differences, flips.sum(axis=1).astype(float)
    return _from_group_means(
        sums,
        sizes,
        decimals,
        name="exact sign-flip" if exact else "sign-flip (9,999 random flips)",
        estimate=float(np.mean(differences)),
    )


def relabelling_test(
    values: Values, reference: Values, decimals: int, rng: np.random.Generator
) -> CountingTest:
    """Return the permutation test of the difference in means of two unpaired rows of values.

    A relabelling swaps as many values from one side as from the other; it raises the difference from a
    tested value exactly if the swapped groups' means differ by less than that value.
    (Source: Pitman 1937, doi:10.2307/2984124.)

    Args:
        values, reference: (n,) and (m,), at least 2 each.
        decimals: Digits to which differences are rounded.
        rng: Draws relabellings if there are more than `MAX_EXACT`.
    """
    n, total = len(values), len(values) + len(reference)
    exact = math.comb(total, n) <= MAX_EXACT
    if exact:
        chosen = np.array(list(itertools.combinations(range(total), n))[1:])
        stays = np.zeros((len(chosen), total), dtype=bool)
        np.put_along_axis(stays, chosen, True, axis=1)
    else:
        first = np.broadcast_to(np.arange(total) < n, (NUM_RESAMPLES, total))
        stays = rng.permuted(first, axis=1)
    moved, arrived = ~stays[:, :n], stays[:, n:]
    return _from_group_means(
        moved @ values - arrived @ reference,
        moved.sum(axis=1).astype(float),
        decimals,
        name="exact relabelling" if exact else "relabelling (9,999 random relabellings)",
        estimate=float(np.mean(values) - np.mean(reference)),
    )


def _from_group_means(
    sums: Values, sizes: Values, decimals: int, *, name: str, estimate: float
) -> CountingTest:
    # A drawn pattern that changes nothing is as extreme as the data, whatever difference is tested.
    means = np.round(np.divide(sums, sizes, out=np.full(len(sums), -np.inf), where=sizes > 0), decimals)
    return CountingTest(
        name=name,
        estimate=estimate,
        low_values=np.sort(means),
        high_values=np.sort(np.where(sizes > 0, means, np.inf)),
        p_by_count=np.arange(1, len(sums) + 2) / (len(sums) + 1),
        decimals=decimals,
    )


def bootstrap_test(
    values: Values, reference: Values | None, decimals: int, rng: np.random.Generator
) -> CountingTest:
    """Return the studentized bootstrap test of a mean, or of the difference in means of unpaired values.

    Each resample gives a t statistic about the measured mean; their distribution replaces Student's.
    (Source: Hall 1988, doi:10.1214/aos/1176350933.) Unlike percentile and BCa intervals it keeps its level
    with as few as 5 values; with fewer, most resamples have no spread, and the interval is infinite.

    Args:
        values: (n,) paired differences, or the first side of unpaired values; at least 2, not all equal.
        reference: (m,) the second side; None if `values` are differences.
        decimals: Digits to which values are rounded.
        rng: Draws the resamples.
    """
    sides = [values] if reference is None else [values, -reference]
    mean = sum(float(np.mean(side)) for side in sides)
    variance = sum(float(np.var(side, ddof=1)) / len(side) for side in sides)
    deviations, variances = np.zeros(NUM_RESAMPLES), np.zeros(NUM_RESAMPLES)
    for side in sides:
        drawn = side[rng.integers(0, len(side), (NUM_RESAMPLES, len(side)))]
        deviations += drawn.mean(axis=1) - side.mean()
        variances += drawn.var(axis=1, ddof=1) / len(side)
    flat = variances <= 1e-20 * variance
    statistics = deviations / np.sqrt(np.where(flat, 1.0, variances))
    statistics[flat] = np.copysign(np.inf, deviations[flat])
    limits = np.sort(np.round(mean - math.sqrt(variance) * statistics, decimals))
    return CountingTest(
        name="studentized bootstrap" if reference is None else "studentized bootstrap (unpaired)",
        estimate=mean,
        low_values=limits,
        high_values=limits,
        p_by_count=np.arange(1, NUM_RESAMPLES + 2) / (NUM_RESAMPLES + 1),
        decimals=decimals,
    )
