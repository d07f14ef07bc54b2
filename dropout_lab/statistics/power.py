"""How many seeds a comparison needs, for a difference to be seen or for equivalence to be shown.

With several conditions each power is that of Bonferroni's threshold. Holm's is never stricter, so that
what is promised is kept.
"""

import math
from collections.abc import Callable

import numpy as np
from scipy import special
from statsmodels.stats.power import TTestIndPower, TTestPower

from dropout_lab.statistics.methods import Method

DEFAULT_POWER = 0.8
DEFAULT_SEED_SD = 0.002
"""Standard deviation of test accuracy over seeds, where none was measured yet."""
MAX_SEEDS = 10_000
_NUM_QUANTILES = 500


def power_of_difference(
    difference: float,
    sd_difference: float,
    n: int,
    *,
    alpha: float = 0.05,
    num_comparisons: int = 1,
    paired: bool = True,
) -> float:
    """Return the probability that a true difference is found, in either direction (t test).

    Args:
        difference: The true difference.
        sd_difference: Standard deviation of the differences between two runs, as in `results.Difference`.
        n: Number of pairs, or of seeds in each of two unpaired conditions; at least 2.
        alpha: Family-wise error rate over all conditions.
        num_comparisons: Conditions compared with the reference.
        paired: Whether the runs are paired by seed.
    """
    if sd_difference == 0:
        return 1.0 if difference else 0.0
    threshold = alpha / num_comparisons
    effect = abs(difference) / sd_difference
    test = TTestPower() if paired else TTestIndPower()
    # Of two unpaired conditions the effect is in standard deviations of one run, not of a difference.
    effect_size = effect if paired else effect * math.sqrt(2)
    power = float(test.power(effect_size, n, threshold))
    if math.isnan(power):  # the far tail underflows in SciPy's noncentral t; it adds nothing here
        power = float(test.power(effect_size, n, threshold / 2, alternative="larger"))
    return 1.0 if math.isnan(power) else power


def power_of_equivalence(
    difference: float,
    sd_difference: float,
    n: int,
    *,
    margin: float,
    alpha: float = 0.05,
    num_comparisons: int = 1,
    paired: bool = True,
) -> float:
    """Return the probability that two one-sided t tests show equivalence within `margin`.

    Given the measured spread, the mean difference is normal, and must lie inside both rejection bounds
    (Phillips 1990, doi:10.1007/BF01063556); that probability is averaged over the spread's chi distribution.

    Args:
        difference: The true difference.
        margin: The largest difference that is called equivalent.
        sd_difference, n, alpha, num_comparisons, paired: As in `power_of_difference`.
    """
    if sd_difference == 0:
        return 1.0 if abs(difference) < margin else 0.0
    degrees = n - 1 if paired else 2 * (n - 1)
    standard_error = sd_difference / math.sqrt(n)
    quantiles = (np.arange(_NUM_QUANTILES) + 0.5) / _NUM_QUANTILES
    # Twice the inverse incomplete gamma function is the quantile of chi-squared.
    measured_errors = standard_error * np.sqrt(2 * special.gammaincinv(degrees / 2, quantiles) / degrees)
    critical = -special.stdtrit(degrees, alpha / num_comparisons)
    reach = margin - critical * measured_errors
    above = special.ndtr((-reach - difference) / standard_error)
    inside = special.ndtr((reach - difference) / standard_error) - above
    return float(np.mean(np.maximum(inside, 0.0)))


def seeds_for_power(power_at: Callable[[int], float], power: float, *, smallest: int = 2) -> int | None:
    """Return the smallest number of seeds, from `smallest` on, at which `power_at` reaches `power`.

    Args:
        power_at: The power as a function of the number of seeds; it must not fall.

    Returns:
        None where more than 10,000 seeds would be needed.
    """
    high = smallest
    while power_at(high) < power:
        if high >= MAX_SEEDS:
            return None
        high = min(2 * high, MAX_SEEDS)
    low = max(smallest, high // 2)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if power_at(middle) >= power else (middle + 1, high)
    return high


def smallest_num_seeds(method: Method, *, alpha: float = 0.05, num_comparisons: int = 1) -> int:
    """Return the fewest pairs with which a test can give a p-value at or below its threshold.

    The sign-flip and signed-rank tests' smallest p-value is 2 / 2**n; the t test has no such limit.
    """
    if method in (Method.SIGN_FLIP, Method.WILCOXON):
        return math.ceil(1 + math.log2(num_comparisons / alpha))
    return 2


def seeds_to_decide(
    difference: float,
    sd_difference: float,
    *,
    margin: float | None,
    alpha: float = 0.05,
    num_comparisons: int = 1,
    paired: bool = True,
    method: Method = Method.T,
    power: float = DEFAULT_POWER,
) -> int | None:
    """Return how many seeds would decide a comparison either way: a difference seen, or equivalence shown.

    Args:
        difference, sd_difference: The truth that is assumed, usually as measured so far.
        margin: The largest difference that is called equivalent; None where nothing is.
        alpha, num_comparisons, paired: As in `power_of_difference`.
        method: Bounds the number of seeds from below.
        power: Probability of deciding.

    Returns:
        None where more than 10,000 seeds would be needed.
    """
    fewest = smallest_num_seeds(method, alpha=alpha, num_comparisons=num_comparisons)

    def power_of_either(n: int) -> float:
        found = 0.0
        if difference:
            found = power_of_difference(
                difference, sd_difference, n, alpha=alpha, num_comparisons=num_comparisons, paired=paired
            )
        if found >= power or margin is None or abs(difference) >= margin:
            return found
        equivalent = power_of_equivalence(
            difference,
            sd_difference,
            n,
            margin=margin,
            alpha=alpha,
            num_comparisons=num_comparisons,
            paired=paired,
        )
        return max(found, equivalent)

    return seeds_for_power(power_of_either, power, smallest=fewest)
