"""Tests and intervals that reuse the values themselves instead of assuming how they are distributed."""

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from dropout_lab.statistics.methods import Method

Values = npt.NDArray[np.float64]

NUM_RESAMPLES = 9_999
MAX_EXACT_SIGN_FLIPS = 16  # 65,536 sign patterns; beyond it they are drawn
DECIMALS = 12
"""Differences that agree in so many decimals are tied: the rest is rounding."""


def bca_interval(
    values: Values, reference: Values, paired: bool, confidence: float, rng: np.random.Generator
) -> tuple[float, float]:
    """Return the BCa bootstrap interval of the mean difference; NaN where too few values differ.

    Source: Efron 1987, doi:10.1080/01621459.1987.10478410.
    """

    def mean_difference(first: Values, second: Values, axis: int = -1) -> Any:
        return _mean(first, axis) - _mean(second, axis)

    with warnings.catch_warnings():
        # SciPy warns where too few distinct values leave no interval; the caller says so.
        warnings.simplefilter("ignore", RuntimeWarning)
        interval = stats.bootstrap(
            (values, reference),
            mean_difference,
            paired=paired,
            vectorized=True,
            n_resamples=NUM_RESAMPLES,
            confidence_level=confidence,
            method="BCa",
            rng=rng,
        ).confidence_interval
    return float(interval.low), float(interval.high)


def _mean(values: Values, axis: int = -1) -> Any:
    return np.mean(values, axis=axis)


def rank_or_sign_test(
    differences: Values, method: Method, rng: np.random.Generator
) -> tuple[float, float, str]:
    """Return the p-value, the smallest that this n allows, and the test's name.

    Args:
        differences: (n,), paired and not all equal.
        method: WILCOXON (Wilcoxon 1945, doi:10.2307/3001968) or SIGN_FLIP (Fisher 1935, The Design of
            Experiments, section 21).
        rng: Draws sign patterns where there are too many to try all.
    """
    differences = np.round(differences, DECIMALS)
    if method is Method.WILCOXON:
        num_nonzero = int(np.count_nonzero(differences))
        return float(stats.wilcoxon(differences).pvalue), 2.0 ** (1 - num_nonzero), "Wilcoxon signed-rank"
    exact = len(differences) <= MAX_EXACT_SIGN_FLIPS
    p_value = stats.permutation_test(
        (differences,),
        _mean,
        permutation_type="samples",
        vectorized=True,
        n_resamples=2**MAX_EXACT_SIGN_FLIPS if exact else NUM_RESAMPLES,
        rng=rng,
    ).pvalue
    smallest_p = 2.0 ** (1 - len(differences)) if exact else 2 / (NUM_RESAMPLES + 1)
    return float(p_value), smallest_p, "exact sign-flip" if exact else "sign-flip (9,999 random flips)"
