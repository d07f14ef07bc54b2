"""Correction of p-values for several tests."""

import math
from collections.abc import Sequence


def holm(p_values: Sequence[float], num_tests: int | None = None) -> list[float]:
    """Return Holm's adjusted p-values (Holm 1979, Scand. J. Statist. 6:65).

    Equal to statsmodels' `multipletests`, which collects garbage at each call and is therefore slow.

    Args:
        p_values: One p-value per test. NaN (no test) stays NaN and does not count.
        num_tests: Tests in all, if others were made whose p-values are not given. They count as if theirs
            were larger, so that no adjusted p-value is too small. [default: these]
    """
    adjusted = [math.nan] * len(p_values)
    tested = sorted(
        (index for index, p in enumerate(p_values) if not math.isnan(p)), key=p_values.__getitem__
    )
    count = max(len(tested), num_tests or 0)
    largest = 0.0
    for rank, index in enumerate(tested):
        largest = max(largest, min(1.0, (count - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted


def holm_levels(p_values: Sequence[float], alpha: float) -> list[float]:
    """Return for each test the level whose interval excludes no difference exactly if Holm rejects it.

    Holm compares the smallest p-value with alpha / n, the next with alpha / (n - 1), and so on, until one is
    larger. A rejected test has the level that it was compared with, all others that of the first one
    which was not rejected. Each interval holds the true difference with a probability of 1 - alpha at least.

    Args:
        p_values: One p-value per test. NaN (no test) does not count, and gets alpha.
        alpha: Error rate over all tests.
    """
    levels = [alpha] * len(p_values)
    tested = sorted(
        (index for index, p in enumerate(p_values) if not math.isnan(p)), key=p_values.__getitem__
    )
    stopped = 0.0
    for rank, index in enumerate(tested):
        level = alpha / (len(tested) - rank)
        if not stopped and p_values[index] > level:
            stopped = level
        levels[index] = stopped or level
    return levels
