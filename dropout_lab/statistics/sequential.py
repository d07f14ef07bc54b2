"""Sequential designs: paired t tests after each look at the seeds, with the error rate of all looks together.

Every look tests at one constant nominal level (Pocock 1977, doi:10.1093/biomet/64.2.191). If there is no
difference, the sequence of paired t statistics has a distribution that does not depend on the unknown
variance. So the level is exact up to the error of the simulation that gives it (200,000 paths: a
standard error of 0.05 points at 5%).

Equivalence: the simulated one-sided tests at the margin bound the error of the two one-sided tests whatever
the ratio of margin to noise is. The least favorable case is a margin that is large compared with the noise,
where the second test always passes and the bound is reached.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import special

from dropout_lab.statistics.difference import shift_test
from dropout_lab.statistics.paths import simulated_looks
from dropout_lab.statistics.shift_tests import Values

NUM_PATHS = 200_000
MAX_VALUES = 20_000_000
"""Paths times looks: designs with more than 100 looks are simulated with fewer paths."""
_SEED = 20_211


@dataclass(frozen=True, kw_only=True)
class SequentialDesign:
    """Seeds per condition after which a comparison is tested, until it is decided.

    Attributes:
        first: Seeds before the first look, at least 2.
        most: Seeds at the last look, at least `first`.
        step: Seeds between looks.
    """

    first: int
    most: int
    step: int = 1

    def __post_init__(self) -> None:
        if not (2 <= self.first <= self.most and self.step >= 1):
            raise ValueError(f"not a sequential design: {self.first} to {self.most} seeds, step {self.step}")

    @property
    def looks(self) -> tuple[int, ...]:
        """Numbers of seeds at the looks, in ascending order."""
        return (*range(self.first, self.most, self.step), self.most)

    def looks_until(self, n: int) -> tuple[int, ...]:
        """Return the looks that `n` seeds allow."""
        return tuple(look for look in self.looks if look <= n)


@dataclass(frozen=True, kw_only=True)
class SequentialTest:
    """A comparison after some looks of a sequential design; valid whenever it stopped.

    Attributes:
        looks: Looks made.
        p_value: Two-sided p-value for a difference, over all looks of the design.
        equivalence_p: The same for equivalence; NaN without a margin.
        ci_low, ci_high: Repeated confidence interval; excludes 0 exactly if `p_value` <= 1 - confidence.
    """

    looks: tuple[int, ...]
    p_value: float
    equivalence_p: float
    ci_low: float
    ci_high: float


def sequential_test(
    values: Values,
    reference: Values,
    design: SequentialDesign,
    *,
    confidence: float = 0.95,
    margin: float | None = None,
) -> SequentialTest:
    """Test the paired difference after each look that these seeds allow.

    Correct `p_value` and `equivalence_p` over conditions with `holm`, after every look: a valid p-value at
    each look remains valid over all looks, because it never rises.

    The interval is the intersection of the repeated confidence intervals (Jennison & Turnbull 1989,
    doi:10.1111/j.2517-6161.1989.tb01433.x) of the looks made: all of them hold the true difference together
    with probability `confidence`. In the rare case that they have no point in common, it is the middle of
    the gap between them.

    Args:
        values, reference: (n,) each, in the order in which the seeds were trained.
        design: The design; values after the last look that n allows are not used.
        confidence: One minus the error rate of all looks together.
        margin: Equivalence margin.
    """
    looks = design.looks_until(len(values))
    if not looks:
        return SequentialTest(
            looks=(), p_value=math.nan, equivalence_p=math.nan, ci_low=math.nan, ci_high=math.nan
        )
    level = nominal_level(design, 1 - confidence)
    p_values, equivalence_ps, lows, highs = _test_at_looks(values, reference, looks, level, margin)
    low, high = max(lows), min(highs)
    if low > high:
        low = high = (low + high) / 2
    equivalence_p = math.nan if margin is None else overall_p(design, min(equivalence_ps), one_sided=True)
    return SequentialTest(
        looks=looks,
        p_value=overall_p(design, min(p_values)),
        equivalence_p=equivalence_p,
        ci_low=low,
        ci_high=high,
    )


def _test_at_looks(
    values: Values, reference: Values, looks: tuple[int, ...], level: float, margin: float | None
) -> tuple[list[float], list[float], list[float], list[float]]:
    """Return p-values, equivalence p-values, and lower and upper bounds at each look."""
    found: tuple[list[float], list[float], list[float], list[float]] = ([], [], [], [])
    differences = values - reference
    rounding = 1e-12 * max(np.abs(values).max(), np.abs(reference).max())
    rng = np.random.default_rng(_SEED)
    tested = 0
    while tested < len(looks) and np.ptp(differences[: looks[tested]]) <= rounding:
        # Differences that do not vary, as those of runs that all reached 100%.
        n = looks[tested]
        test = shift_test(values[:n], reference[:n], paired=True, rng=rng)
        row = (
            test.p_value(),
            math.nan if margin is None else test.equivalence_p(margin),
            test.lower(level / 2),
            test.upper(level / 2),
        )
        for column, value in zip(found, row, strict=True):
            column.append(value)
        tested += 1
    ns = np.array(looks[tested:], dtype=int)
    # Centered on one of them, so that sums of squares do not cancel.
    centered = differences - differences[0]
    sums, squares = (np.cumsum(part)[ns - 1] for part in (centered, centered**2))
    means = differences[0] + sums / ns
    errors = np.sqrt((squares - sums**2 / ns) / (ns - 1) / ns)
    reach = -special.stdtrit(ns - 1, level / 2) * errors
    bound = math.nan if margin is None else margin
    rows = (
        2 * special.stdtr(ns - 1, -np.abs(means) / errors),
        special.stdtr(ns - 1, (np.abs(means) - bound) / errors),
        means - reach,
        means + reach,
    )
    for column, row in zip(found, rows, strict=True):
        column.extend(row.tolist())
    return found


def overall_p(design: SequentialDesign, smallest_p: float, *, one_sided: bool = False) -> float:
    """Return the probability of a p-value of at most `smallest_p` at any look, if there is no difference.

    Args:
        design: All looks that are planned.
        smallest_p: The smallest p-value of the looks made so far.
        one_sided: Whether it is one-sided, as that of equivalence is.
    """
    if len(design.looks) == 1:
        return smallest_p
    minima = _smallest_p_values(design.looks)[int(one_sided)]
    return float((1 + np.searchsorted(minima, smallest_p, side="right")) / (len(minima) + 1))


def nominal_level(
    design: SequentialDesign, alpha: float, *, num_conditions: int = 1, one_sided: bool = False
) -> float:
    """Return the largest p-value at a look whose `overall_p` is at most alpha / num_conditions.

    Args:
        design: All looks that are planned.
        alpha: Error rate of all looks and conditions together.
        num_conditions: Conditions compared with the reference; Bonferroni's correction.
        one_sided: Whether the p-values are one-sided, as those of equivalence are.
    """
    alpha /= num_conditions
    if len(design.looks) == 1:
        return alpha
    minima = _smallest_p_values(design.looks)[int(one_sided)]
    num_allowed = math.floor(alpha * (len(minima) + 1) + 1e-9) - 1
    return float(np.nextafter(minima[num_allowed], 0.0)) if num_allowed >= 0 else 0.0


@lru_cache(maxsize=32)
def _smallest_p_values(looks: tuple[int, ...]) -> tuple[Values, Values]:
    """Return the smallest two-sided and one-sided p-values of simulated paths, each in ascending order."""
    num_paths = min(NUM_PATHS, MAX_VALUES // len(looks))
    highest, lowest = np.zeros(num_paths), np.zeros(num_paths)
    for n, means, sds in simulated_looks(looks, num_paths, np.random.default_rng(_SEED)):
        # The logarithm of the one-sided p-value, with the sign of the statistic.
        score = _signed_scores(n - 1, means / sds * math.sqrt(n))
        np.maximum(highest, score, out=highest)
        np.minimum(lowest, score, out=lowest)
    two_sided = 2 * np.exp(-np.maximum(highest, -lowest))
    one_sided = np.exp(-np.concatenate([highest, -lowest]))
    return np.sort(two_sided), np.sort(one_sided)


def _signed_scores(degrees: int, statistics: Values) -> Values:
    """Return -log of the p-value on the statistic's own side, with its sign, from a fine table."""
    grid = np.sinh(np.linspace(0.0, 14.0, 3_000))
    table = -np.log(np.maximum(special.stdtr(degrees, -grid), 1e-300))
    return np.copysign(np.interp(np.abs(statistics), grid, table), statistics)


@dataclass(frozen=True, kw_only=True)
class UnplannedLooks:
    """The error rate of tests that were repeated while seeds were added.

    Attributes:
        error_rate: Probability of a significant difference at any of the looks, if there is none.
        standard_error: Of `error_rate`, from the simulation.
    """

    error_rate: float
    standard_error: float


def unplanned_looks(looks: Sequence[int], alpha: float, *, num_conditions: int = 1) -> UnplannedLooks:
    """Return the error rate of paired t tests at level `alpha` at each of these looks.

    With several conditions it is an upper bound (Bonferroni).

    Args:
        looks: Numbers of seeds at which a test was made, each at least 2.
        alpha: Level of each look, over all conditions together.
        num_conditions: Conditions compared with the reference.
    """
    level, looks = alpha / num_conditions, tuple(sorted(set(looks)))
    if len(looks) <= 1:
        return UnplannedLooks(error_rate=alpha if looks else 0.0, standard_error=0.0)
    minima = _smallest_p_values(looks)[0]
    rate = float(np.searchsorted(minima, level, side="right") / len(minima))
    return UnplannedLooks(
        error_rate=min(1.0, num_conditions * rate),
        standard_error=num_conditions * math.sqrt(rate * (1 - rate) / len(minima)),
    )
