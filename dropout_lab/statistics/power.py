"""Power of a comparison, and the number of seeds that it needs.

A standard deviation measured with few seeds is uncertain. Given its degrees of freedom, power is averaged
over the true standard deviations that fit it, so that "power 0.8" holds on average over plans.

With several conditions each power is that of Bonferroni's threshold. Holm's is never stricter, so that the
power is at least the one returned.
"""

import math
from collections.abc import Callable

import numpy as np
from scipy import special

from dropout_lab.statistics.methods import Method
from dropout_lab.statistics.shift_tests import Values

DEFAULT_POWER = 0.8
DEFAULT_SEED_SD = 0.002
"""Standard deviation of test accuracy over seeds, if none was measured yet."""
MAX_SEEDS = 10_000
_NUM_QUANTILES = 200
_NUM_SDS = 50


def plausible_sds(sd: float, degrees: float, num: int = _NUM_SDS) -> Values:
    """Return equally likely values of the true standard deviation, given a measured one.

    With the usual uninformative prior the posterior of the variance is a scaled inverse chi-squared
    distribution (Box & Tiao 1973, Bayesian Inference in Statistical Analysis, section 2.2).

    Args:
        sd: Measured standard deviation.
        degrees: Its degrees of freedom, n - 1 for n differences; infinite if it is known.
        num: Number of values.
    """
    if math.isinf(degrees):
        return np.array([sd])
    return sd / _relative_sds(degrees, num)


def _relative_sds(degrees: float, num: int) -> Values:
    """Return quantiles of a measured standard deviation in units of the true one."""
    quantiles = (np.arange(num) + 0.5) / num
    # Twice the inverse incomplete gamma function is the quantile of chi-squared.
    sds: Values = np.sqrt(2 * special.gammaincinv(degrees / 2, quantiles) / degrees)
    return sds


def power_of_difference(
    difference: float,
    sd_difference: float,
    n: int,
    *,
    sd_degrees: float = math.inf,
    alpha: float = 0.05,
    num_comparisons: int = 1,
    paired: bool = True,
) -> float:
    """Return the probability that a true difference is found, in either direction (t test).

    Args:
        difference: True difference.
        sd_difference: Standard deviation of the differences between two runs, as in `results.Difference`.
        n: Number of pairs, or of seeds in each of two unpaired conditions; at least 2.
        sd_degrees: Degrees of freedom of `sd_difference`; infinite if it is known.
        alpha: Family-wise error rate over all conditions.
        num_comparisons: Conditions compared with the reference.
        paired: Whether the runs are paired by seed.
    """
    if sd_difference == 0:
        return 1.0 if difference else 0.0
    degrees = n - 1 if paired else 2 * (n - 1)
    noncentrality = abs(difference) * math.sqrt(n) / plausible_sds(sd_difference, sd_degrees)
    critical = -special.stdtrit(degrees, alpha / num_comparisons / 2)
    # Beyond 1e4 the noncentral t distribution underflows; the power is 1 there.
    shift = np.minimum(noncentrality, 1e4)
    found = special.nctdtr(degrees, -shift, -critical) + special.nctdtr(degrees, shift, -critical)
    return float(np.mean(np.where(np.isnan(found), 1.0, found)))


def detectable_difference(
    sd_difference: float,
    n: int,
    *,
    sd_degrees: float = math.inf,
    alpha: float = 0.05,
    num_comparisons: int = 1,
    paired: bool = True,
    power: float = DEFAULT_POWER,
) -> float:
    """Return the smallest true difference that is found with `power`, to 1 part in 1,000.

    Args:
        sd_difference, n, sd_degrees, alpha, num_comparisons, paired: Arguments of `power_of_difference`.
        power: Probability of finding it.

    Returns:
        Infinity if it is more than 1,000 standard deviations.
    """

    def power_at(difference: float) -> float:
        return power_of_difference(
            difference,
            sd_difference,
            n,
            sd_degrees=sd_degrees,
            alpha=alpha,
            num_comparisons=num_comparisons,
            paired=paired,
        )

    low, high = 0.0, 1000 * sd_difference
    if power_at(high) < power:
        return math.inf
    while high - low > 1e-3 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if power_at(middle) >= power else (middle, high)
    return high


def power_of_equivalence(
    difference: float,
    sd_difference: float,
    n: int,
    *,
    margin: float,
    sd_degrees: float = math.inf,
    alpha: float = 0.05,
    num_comparisons: int = 1,
    paired: bool = True,
) -> float:
    """Return the probability that two one-sided t tests show equivalence within `margin`.

    Given the measured spread, the mean difference is normal, and must lie inside both rejection bounds
    (Phillips 1990, doi:10.1007/BF01063556); that probability is averaged over the spread's chi distribution.

    Args:
        difference: True difference.
        margin: Equivalence margin.
        sd_difference, n, sd_degrees, alpha, num_comparisons, paired: Arguments of `power_of_difference`.
    """
    if sd_difference == 0:
        return 1.0 if abs(difference) < margin else 0.0
    degrees = n - 1 if paired else 2 * (n - 1)
    errors = plausible_sds(sd_difference, sd_degrees)[:, None] / math.sqrt(n)
    critical = -special.stdtrit(degrees, alpha / num_comparisons)
    reach = margin - critical * errors * _relative_sds(degrees, _NUM_QUANTILES)
    inside = special.ndtr((reach - difference) / errors) - special.ndtr((-reach - difference) / errors)
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


def smallest_num_seeds(method: Method | str, *, alpha: float = 0.05, num_comparisons: int = 1) -> int:
    """Return the fewest pairs with which a test can give a p-value at or below its threshold.

    The smallest p-value of the sign-flip and signed-rank tests is 2 / 2**n; that of the bootstrap is about
    1 / n**(n - 1), as resamples that repeat one value have no spread. The t test has no limit.
    """
    method, threshold = Method(method), alpha / num_comparisons
    if method in (Method.SIGN_FLIP, Method.WILCOXON):
        return math.ceil(1 - math.log2(threshold))
    if method is Method.BOOTSTRAP:
        return next(n for n in range(2, MAX_SEEDS) if n ** (1 - n) <= threshold)
    return 2


def seeds_to_decide(
    difference: float,
    sd_difference: float,
    *,
    margin: float | None,
    sd_degrees: float = math.inf,
    alpha: float = 0.05,
    num_comparisons: int = 1,
    paired: bool = True,
    method: Method | str = Method.T,
    power: float = DEFAULT_POWER,
) -> int | None:
    """Return how many seeds would decide a comparison: a difference found, or equivalence shown.

    Args:
        difference: True difference that is assumed.
        margin: Equivalence margin; None if there is none.
        sd_difference, sd_degrees, alpha, num_comparisons, paired: Arguments of `power_of_difference`.
        method: Bounds the number of seeds from below.
        power: Probability of deciding.

    Returns:
        None if more than 10,000 seeds would be needed.
    """

    def power_of_either(n: int) -> float:
        found = 0.0
        if difference:
            found = power_of_difference(
                difference,
                sd_difference,
                n,
                sd_degrees=sd_degrees,
                alpha=alpha,
                num_comparisons=num_comparisons,
                paired=paired,
            )
        if found >= power or margin is None or abs(difference) >= margin:
            return found
        equivalent = power_of_equivalence(
            difference,
            sd_difference,
            n,
            margin=margin,
            sd_degrees=sd_degrees,
            alpha=alpha,
            num_comparisons=num_comparisons,
            paired=paired,
        )
        return max(found, equivalent)

    fewest = smallest_num_seeds(method, alpha=alpha, num_comparisons=num_comparisons)
    return seeds_for_power(power_of_either, power, smallest=fewest)
