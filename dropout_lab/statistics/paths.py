"""Simulated paths: means and standard deviations of growing samples, at the looks of a design."""

import math
from collections.abc import Iterator, Sequence

import numpy as np

from dropout_lab.statistics.shift_tests import Values


def simulated_looks(
    looks: Sequence[int], num_paths: int, rng: np.random.Generator
) -> Iterator[tuple[int, Values, Values]]:
    """Yield for each look its n, and the means and standard deviations of n standard normal values.

    A path's values accumulate from look to look. The sequence of t statistics of normal data is the same
    whatever their variance, and their mean only shifts it: so these paths serve for every metric.

    Args:
        looks: Sample sizes in ascending order, the first at least 2.
        num_paths: Number of paths.
        rng: Draws them; only sums of values are drawn, so that large samples cost no more than small ones.
    """
    total, squares, previous = np.zeros(num_paths), np.zeros(num_paths), 0
    for n in looks:
        num_new = n - previous
        new = math.sqrt(num_new) * rng.standard_normal(num_paths)
        total += new
        squares += new * new / num_new
        if num_new > 1:
            squares += rng.chisquare(num_new - 1, num_paths)
        previous = n
        yield n, total / n, np.sqrt((squares - total * total / n) / (n - 1))
