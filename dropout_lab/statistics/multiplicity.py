"""Correction of p-values for several tests."""

import math
from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """Return Holm's adjusted p-values (Holm 1979, Scand. J. Statist. 6:65).

    Equal to statsmodels' `multipletests`, which collects garbage at each call and is therefore slow.

    Args:
        p_values: One p-value per test. NaN (no test) stays NaN and does not count.
    """
    adjusted = [math.nan] * len(p_values)
    tested = sorted(
        (index for index, p in enumerate(p_values) if not math.isnan(p)), key=p_values.__getitem__
    )
    largest = 0.0
    for rank, index in enumerate(tested):
        largest = max(largest, min(1.0, (len(tested) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted
