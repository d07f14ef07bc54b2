"""From two rows of figures, one for each seed, to a difference with its interval and p-values.

The tests are SciPy's. What is added is what it leaves to the caller: too few seeds, differences that do
not vary at all, and saying which test was made.
"""

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special, stats

from dropout_lab.statistics.methods import Method
from dropout_lab.statistics.resampling import Values, bca_interval, rank_or_sign_test

_ROUNDING = 1e-12
"""Relative to the values: a spread below it is rounding, not noise."""


@dataclass(frozen=True, kw_only=True)
class DifferenceTest:
    """A mean difference between two rows of values; the fields are those of `results.Difference`."""

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


def compare_values(
    values: Values,
    reference: Values,
    *,
    paired: bool,
    method: Method = Method.T,
    confidence: float = 0.95,
    margin: float | None = None,
    rng: np.random.Generator,
) -> DifferenceTest:
    """Compare the means of two rows of values.

    Interval and p-value come from Student's t test of the pairs' differences (`scipy.stats.ttest_rel`),
    or unpaired from Welch's (Welch 1947, doi:10.1093/biomet/34.1-2.28). A bootstrap replaces the interval
    (BCa, Efron 1987, doi:10.1080/01621459.1987.10478410); the exact sign-flip test (Fisher 1935, The Design
    of Experiments, section 21) or Wilcoxon's signed-rank test replaces the p-value, of pairs only.
    Equivalence: two one-sided t tests (Schuirmann 1987, doi:10.1007/BF01068419), the larger p-value.
    Effect size: Cohen's d_z of pairs, d_av otherwise (Lakens 2013, doi:10.3389/fpsyg.2013.00863).

    Differences that do not vary have no t test: their p-values are the exact sign-flip (or relabelling)
    test's, which a few lucky seeds cannot make small.

    Args:
        values, reference: (n,) each, finite; of equal length and in the same order of seeds if `paired`.
        paired: Whether `values[i]` and `reference[i]` share a seed.
        method: Which test; unpaired values get Welch's, with the bootstrap's interval if asked for.
        confidence: Of the two-sided interval.
        margin: For the test of equivalence; without it `equivalence_p` is NaN.
        rng: Draws the bootstrap's samples and, for many seeds, the sign flips.
    """
    n = min(len(values), len(reference))
    if n == 0:
        return DifferenceTest(n=0, paired=paired, mean_difference=math.nan, method="no values")
    mean_difference = float(np.mean(values - reference) if paired else np.mean(values) - np.mean(reference))
    if n == 1:
        return DifferenceTest(
            n=1, paired=paired, mean_difference=mean_difference, method="single runs, no test over seeds"
        )
    correlation = _correlation(values, reference) if paired else math.nan
    if _does_not_vary(values, reference, paired):
        return _constant_difference(values, reference, paired, mean_difference, margin, correlation)

    sd_difference = _sd_difference(values, reference, paired)
    test = _t_test(values, reference, paired)
    interval = test.confidence_interval(confidence)
    p_value, smallest_p, equivalence_p = float(test.pvalue), 0.0, math.nan
    if margin is not None:
        standard_error = _standard_error(values, reference, paired)
        equivalence_p = _equivalence_p(mean_difference, standard_error, float(test.df), margin)
    name = "paired t" if paired else "Welch's t (unpaired)"
    if method is Method.BOOTSTRAP:
        bootstrapped = bca_interval(values, reference, paired, confidence, rng)
        if np.all(np.isfinite(bootstrapped)):
            interval, name = bootstrapped, f"{name}, BCa bootstrap interval"
        else:
            name = f"{name} (too few different values for a BCa bootstrap)"
    elif method is not Method.T and paired:
        p_value, smallest_p, test_name = rank_or_sign_test(values - reference, method, rng)
        name = f"{test_name}, t interval"
    return DifferenceTest(
        n=n,
        paired=paired,
        mean_difference=mean_difference,
        sd_difference=sd_difference,
        ci_low=float(interval[0]),
        ci_high=float(interval[1]),
        p_value=p_value,
        equivalence_p=equivalence_p,
        effect_size=mean_difference / (sd_difference if paired else sd_difference / math.sqrt(2)),
        pairing_correlation=correlation,
        method=name,
        smallest_p=smallest_p,
    )


def _equivalence_p(mean_difference: float, standard_error: float, degrees: float, margin: float) -> float:
    """Return the larger p-value of two one-sided t tests: difference above -margin, and below +margin."""
    above = special.stdtr(degrees, -(mean_difference + margin) / standard_error)
    below = special.stdtr(degrees, (mean_difference - margin) / standard_error)
    return float(max(above, below))


def one_sided_bounds(
    values: Values, reference: Values, *, paired: bool, confidence: float
) -> tuple[float, float]:
    """Return the lower and the upper one-sided t bound of the mean difference, each at `confidence`.

    Returns:
        NaN, NaN from fewer than two values, or where the differences do not vary.
    """
    if min(len(values), len(reference)) < 2 or _does_not_vary(values, reference, paired):
        return math.nan, math.nan
    interval = _t_test(values, reference, paired).confidence_interval(2 * confidence - 1)
    return float(interval[0]), float(interval[1])


def _t_test(values: Values, reference: Values, paired: bool) -> Any:
    with warnings.catch_warnings():
        # SciPy warns of rounding where one side does not vary; `_does_not_vary` has seen to both sides.
        warnings.simplefilter("ignore", RuntimeWarning)
        if paired:
            return stats.ttest_rel(values, reference)
        return stats.ttest_ind(values, reference, equal_var=False)


def _standard_error(values: Values, reference: Values, paired: bool) -> float:
    if paired:
        return float(np.std(values - reference, ddof=1) / math.sqrt(len(values)))
    return math.sqrt(np.var(values, ddof=1) / len(values) + np.var(reference, ddof=1) / len(reference))


def _sd_difference(values: Values, reference: Values, paired: bool) -> float:
    if paired:
        return float(np.std(values - reference, ddof=1))
    return float(math.sqrt(np.var(values, ddof=1) + np.var(reference, ddof=1)))


def _does_not_vary(values: Values, reference: Values, paired: bool) -> bool:
    rounding = _ROUNDING * max(np.abs(values).max(), np.abs(reference).max())
    spreads = [np.ptp(values - reference)] if paired else [np.ptp(values), np.ptp(reference)]
    return bool(max(spreads) <= rounding)


def _constant_difference(
    values: Values,
    reference: Values,
    paired: bool,
    mean_difference: float,
    margin: float | None,
    correlation: float,
) -> DifferenceTest:
    n, num_values = min(len(values), len(reference)), len(values) + len(reference)
    # The chance that signs (or labels) fall as they did, were they random.
    one_sided = 0.5**n if paired else 1 / math.comb(num_values, len(values))
    if abs(mean_difference) <= _ROUNDING * np.abs(reference).max():
        mean_difference = 0.0
    equivalence_p = math.nan
    if margin is not None:
        equivalence_p = one_sided if abs(mean_difference) < margin else 1.0
    return DifferenceTest(
        n=n,
        paired=paired,
        mean_difference=mean_difference,
        sd_difference=0.0,
        ci_low=mean_difference,
        ci_high=mean_difference,
        p_value=min(1.0, 2 * one_sided) if mean_difference else 1.0,
        equivalence_p=equivalence_p,
        effect_size=math.copysign(math.inf, mean_difference) if mean_difference else 0.0,
        pairing_correlation=correlation,
        method=f"exact {'sign-flip' if paired else 'relabelling'} (the differences do not vary)",
        smallest_p=min(1.0, 2 * one_sided),
    )


def _correlation(values: Values, reference: Values) -> float:
    if len(values) < 3 or np.ptp(values) == 0 or np.ptp(reference) == 0:
        return math.nan
    return float(np.corrcoef(values, reference)[0, 1])
