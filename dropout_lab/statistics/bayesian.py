"""Posterior probabilities that a difference is below, within or above an equivalence margin.

With the usual uninformative prior the posterior of a mean is a t distribution (Benavoli et al. 2017,
https://jmlr.org/papers/v18/16-305.html). Unlike verdicts these probabilities are not corrected for several
comparisons or looks.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from dropout_lab.statistics.shift_tests import Values

_NUM_QUANTILES = 2_000


@dataclass(frozen=True, kw_only=True)
class Posterior:
    """Posterior probabilities of a true difference; they sum to 1.

    Attributes:
        lower: Probability of a difference below -margin.
        equivalent: Probability of a difference within the margin.
        higher: Probability of a difference above the margin.
    """

    lower: float
    equivalent: float
    higher: float


def paired_posterior(differences: Values, margin: float, *, correlation: float = 0.0) -> Posterior | None:
    """Return the posterior probabilities of the mean of paired differences.

    Args:
        differences: (n,) condition minus reference.
        margin: Equivalence margin; 0 leaves lower and higher only.
        correlation: Correlation between the differences, if they share training data (1 / k for k-fold
            cross-validation; Nadeau & Bengio 2003, doi:10.1023/A:1024068626366); below 1.

    Returns:
        None if there are fewer than 2 differences or they do not vary.
    """
    n = len(differences)
    if n < 2 or np.ptp(differences) <= 1e-12 * np.abs(differences).max():
        return None
    mean = float(np.mean(differences))
    scale = float(np.std(differences, ddof=1)) * math.sqrt(1 / n + correlation / (1 - correlation))
    lower = float(special.stdtr(n - 1, (-margin - mean) / scale))
    higher = float(special.stdtr(n - 1, (mean - margin) / scale))
    return Posterior(lower=lower, equivalent=max(0.0, 1 - lower - higher), higher=higher)


def unpaired_posterior(values: Values, reference: Values, margin: float) -> Posterior | None:
    """Return the posterior probabilities of the difference of two means with unequal variances.

    Each mean has its own t posterior (Behrens-Fisher).

    Args:
        values, reference: (n,) and (m,).
        margin: Equivalence margin.

    Returns:
        None if a side has fewer than 2 values or does not vary.
    """
    sides = (values, reference)
    if any(len(side) < 2 or np.ptp(side) <= 1e-12 * np.abs(side).max() for side in sides):
        return None
    mean = float(np.mean(values) - np.mean(reference))
    scales = [float(np.std(side, ddof=1)) / math.sqrt(len(side)) for side in sides]
    quantiles = (np.arange(_NUM_QUANTILES) + 0.5) / _NUM_QUANTILES
    deviations = scales[0] * special.stdtrit(len(values) - 1, quantiles)
    degrees = len(reference) - 1
    lower = float(np.mean(special.stdtr(degrees, (-margin - mean - deviations) / scales[1])))
    higher = float(np.mean(special.stdtr(degrees, (mean + deviations - margin) / scales[1])))
    return Posterior(lower=lower, equivalent=max(0.0, 1 - lower - higher), higher=higher)
