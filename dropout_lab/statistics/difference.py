"""From two rows of values, one value per seed, to their difference with its interval and p-values."""

import math
from dataclasses import dataclass

import numpy as np

from dropout_lab.statistics.methods import Method
from dropout_lab.statistics.rank_tests import rank_sum_test, signed_rank_test
from dropout_lab.statistics.resampling import (
    bootstrap_test,
    decimals_for,
    relabelling_test,
    sign_flip_test,
)
from dropout_lab.statistics.shift_tests import ShiftTest, StudentTest, Values

_ROUNDING = 1e-12
"""Relative to the values: a spread below it is rounding, not noise."""


@dataclass(frozen=True, kw_only=True)
class DifferenceTest:
    """A difference between two rows of values; the fields are those of `results.Difference`.

    Attributes:
        mean_difference: Estimate that belongs to the test: the mean difference, or the Hodges-Lehmann
            estimate of Wilcoxon's tests.
    """

    n: int
    paired: bool
    mean_difference: float
    sd_difference: float = math.nan
    ci_low: float = math.nan
    ci_high: float = math.nan
    p_value: float = math.nan
    equivalence_p: float = math.nan
    effect_size: float = math.nan
    pairing_correlation: float = math.nan
    method: str
    smallest_p: float = 0.0


def shift_test(
    values: Values,
    reference: Values,
    *,
    paired: bool,
    method: Method | str = Method.T,
    rng: np.random.Generator,
) -> ShiftTest:
    """Return the test of the difference between two rows of values.

    Differences that do not vary have no t test: they get the sign-flip (or relabelling) test, which a few
    lucky seeds cannot make significant.

    Args:
        values, reference: (n,) and (m,), finite, at least 2 each; of equal length and in the same order of
            seeds if `paired`.
        paired: Whether `values[i]` and `reference[i]` share a seed.
        method: The test; a plain string means the method of that name.
        rng: Draws resamples, or sign flips and relabellings if there are too many to try all.

    Raises:
        ValueError: If no method has this name, or there are fewer than 2 values.
    """
    method = Method(method)
    if min(len(values), len(reference)) < 2:
        raise ValueError("a test needs at least 2 values per condition")
    decimals = decimals_for(values, reference)
    if _does_not_vary(values, reference, paired):
        method = Method.SIGN_FLIP
        values, reference = np.round(values, decimals), np.round(reference, decimals)
    if not paired:
        if method is Method.SIGN_FLIP:
            return relabelling_test(values, reference, decimals, rng)
        if method is Method.WILCOXON:
            return rank_sum_test(values, reference, decimals)
        if method is Method.BOOTSTRAP:
            return bootstrap_test(values, reference, decimals, rng)
        return _welch_test(values, reference)
    differences = np.round(values - reference, decimals)
    if method is Method.SIGN_FLIP:
        return sign_flip_test(differences, decimals, rng)
    if method is Method.WILCOXON:
        return signed_rank_test(differences, decimals)
    if method is Method.BOOTSTRAP:
        return bootstrap_test(differences, None, decimals, rng)
    return paired_t_test(values - reference)


def paired_t_test(differences: Values) -> StudentTest:
    """Return Student's t test of paired differences: (n,), at least 2, not all equal."""
    n = len(differences)
    return StudentTest(
        name="paired t",
        estimate=float(np.mean(differences)),
        standard_error=float(np.std(differences, ddof=1)) / math.sqrt(n),
        degrees=n - 1,
    )


def _welch_test(values: Values, reference: Values) -> StudentTest:
    """Return Welch's t test (Welch 1947, doi:10.1093/biomet/34.1-2.28)."""
    parts = [float(np.var(side, ddof=1)) / len(side) for side in (values, reference)]
    counts = len(values), len(reference)
    return StudentTest(
        name="Welch's t (unpaired)",
        estimate=float(np.mean(values) - np.mean(reference)),
        standard_error=math.sqrt(sum(parts)),
        degrees=sum(parts) ** 2 / sum(part**2 / (n - 1) for part, n in zip(parts, counts, strict=True)),
    )


def compare_values(
    values: Values,
    reference: Values,
    *,
    paired: bool,
    method: Method | str = Method.T,
    confidence: float = 0.95,
    margin: float | None = None,
    rng: np.random.Generator,
) -> DifferenceTest:
    """Compare two rows of values.

    The p-value, the equivalence p-value and the interval come from one test (`shift_test`). If there are too
    few values for the confidence level, the interval is infinite. The effect size is Cohen's d_z of pairs
    and d_av otherwise (Lakens 2013, doi:10.3389/fpsyg.2013.00863).

    Args:
        values, reference, paired, method, rng: Arguments of `shift_test`; fewer than 2 values give NaN.
        confidence: Level of the two-sided interval.
        margin: Equivalence margin; without it `equivalence_p` is NaN.
    """
    n = min(len(values), len(reference))
    if n == 0:
        return DifferenceTest(n=0, paired=paired, mean_difference=math.nan, method="no values")
    mean_difference = float(np.mean(values - reference) if paired else np.mean(values) - np.mean(reference))
    if n == 1:
        return DifferenceTest(
            n=1, paired=paired, mean_difference=mean_difference, method="single runs, no test over seeds"
        )
    test = shift_test(values, reference, paired=paired, method=method, rng=rng)
    sd_difference, mean_difference, name = _sd_difference(values, reference, paired), test.estimate, test.name
    if _does_not_vary(values, reference, paired):
        sd_difference = 0.0
        name = f"{name} (the differences do not vary)"
    unit = sd_difference if paired else sd_difference / math.sqrt(2)
    ci_low, ci_high = test.interval(confidence)
    return DifferenceTest(
        n=n,
        paired=paired,
        mean_difference=mean_difference,
        sd_difference=sd_difference,
        ci_low=ci_low,
        ci_high=ci_high,
        p_value=test.p_value(),
        equivalence_p=math.nan if margin is None else test.equivalence_p(margin),
        effect_size=mean_difference / unit
        if unit
        else mean_difference and math.copysign(math.inf, mean_difference),
        pairing_correlation=_correlation(values, reference) if paired else math.nan,
        method=name,
        smallest_p=test.smallest_p,
    )


def _sd_difference(values: Values, reference: Values, paired: bool) -> float:
    if paired:
        return float(np.std(values - reference, ddof=1))
    return float(math.sqrt(np.var(values, ddof=1) + np.var(reference, ddof=1)))


def _does_not_vary(values: Values, reference: Values, paired: bool) -> bool:
    rounding = _ROUNDING * max(np.abs(values).max(), np.abs(reference).max())
    spreads = [np.ptp(values - reference)] if paired else [np.ptp(values), np.ptp(reference)]
    return bool(max(spreads) <= rounding)


def _correlation(values: Values, reference: Values) -> float:
    if len(values) < 3 or np.ptp(values) == 0 or np.ptp(reference) == 0:
        return math.nan
    return float(np.corrcoef(values, reference)[0, 1])
