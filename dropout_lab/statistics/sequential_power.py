"""What a design does on average: power, expected seeds, and the bias of estimates after early stopping."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import special

from dropout_lab.statistics.paths import simulated_looks
from dropout_lab.statistics.power import plausible_sds
from dropout_lab.statistics.sequential import SequentialDesign, nominal_level
from dropout_lab.statistics.shift_tests import Values

NUM_PATHS = 20_000
NUM_BIAS_PATHS = 5_000
MAX_VALUES = 2_000_000
"""Paths times looks, which are kept in memory."""
_SEED = 20_212
_EFFECTS = np.concatenate([np.linspace(0.0, 2.0, 17), np.linspace(2.25, 4.0, 8)])
_MARGIN_RATIO = 1.25
_NUM_NOISES = 15


@dataclass(frozen=True, kw_only=True)
class OperatingCharacteristics:
    """What a design does at one true difference, for one condition; by simulation (± 0.4 points).

    Attributes:
        difference_found: Probability that the difference is found, in its own direction.
        wrong_direction: Probability that it is found in the opposite direction.
        equivalent: Probability that equivalence is shown.
        expected_seeds: Mean number of seeds per condition.
        stop_probs: (num_looks,): probability of stopping at each look.
        mean_estimate: Expected mean difference when stopping, in standard deviations.
    """

    difference_found: float
    wrong_direction: float
    equivalent: float
    expected_seeds: float
    stop_probs: tuple[float, ...]
    mean_estimate: float

    @property
    def undecided(self) -> float:
        """Probability of no decision after the last look."""
        return 1 - self.difference_found - self.wrong_direction - self.equivalent


def operating_characteristics(
    design: SequentialDesign,
    effect_in_sd: float,
    margin_in_sd: float | None,
    *,
    alpha: float = 0.05,
    num_conditions: int = 1,
    num_paths: int = NUM_PATHS,
) -> OperatingCharacteristics:
    """Return what a design does; one with a single look is the fixed design.

    Args:
        design: The looks.
        effect_in_sd: True difference, in standard deviations of paired differences.
        margin_in_sd: Equivalence margin in the same unit; None if equivalence is not tested.
        alpha: Error rate over all looks and conditions.
        num_conditions: Conditions compared with the reference. The levels are Bonferroni's; Holm's are never
            stricter, so that the power is at least the one returned.
        num_paths: Simulated comparisons.
    """
    difference_level = nominal_level(design, alpha, num_conditions=num_conditions)
    equivalence_level = nominal_level(design, alpha, num_conditions=num_conditions, one_sided=True)
    looks, means, sds = _paths(design.looks, num_paths)
    means = means + abs(effect_in_sd)
    errors = sds / np.sqrt(looks)[:, None]
    degrees = (looks - 1)[:, None]
    significant = np.abs(means) >= -special.stdtrit(degrees, difference_level / 2) * errors
    equivalent = np.zeros_like(significant)
    if margin_in_sd is not None:
        equivalent = np.abs(means) - special.stdtrit(degrees, equivalence_level) * errors <= margin_in_sd
    decided = significant | equivalent
    decided[-1] = True
    stops = decided.argmax(axis=0)
    paths = np.arange(means.shape[1])
    equivalent, significant, means = equivalent[stops, paths], significant[stops, paths], means[stops, paths]
    significant &= ~equivalent
    return OperatingCharacteristics(
        difference_found=float(np.mean(significant & (means > 0))),
        wrong_direction=float(np.mean(significant & (means < 0))),
        equivalent=float(np.mean(equivalent)),
        expected_seeds=float(np.mean(looks[stops])),
        stop_probs=tuple(float(share) for share in np.bincount(stops, minlength=len(looks)) / len(paths)),
        mean_estimate=math.copysign(float(np.mean(means)), effect_in_sd),
    )


def expected_characteristics(
    design: SequentialDesign,
    difference: float,
    sd_difference: float,
    margin: float | None,
    *,
    sd_degrees: float = math.inf,
    alpha: float = 0.05,
    num_conditions: int = 1,
) -> OperatingCharacteristics:
    """Return what a design does on average over the uncertain noise; `mean_estimate` is in the metric's unit.

    Args:
        design: The looks.
        difference: True difference.
        sd_difference: Standard deviation of paired differences, above 0.
        margin: Equivalence margin; None if equivalence is not tested.
        sd_degrees: Degrees of freedom of `sd_difference`; infinite if it is known.
        alpha, num_conditions: Arguments of `operating_characteristics`.
    """
    sds = plausible_sds(sd_difference, sd_degrees, _NUM_NOISES)
    found = [
        operating_characteristics(
            design,
            difference / sd,
            None if margin is None else margin / sd,
            alpha=alpha,
            num_conditions=num_conditions,
        )
        for sd in sds
    ]

    def average(name: str) -> float:
        return float(np.mean([getattr(one, name) for one in found]))

    return OperatingCharacteristics(
        difference_found=average("difference_found"),
        wrong_direction=average("wrong_direction"),
        equivalent=average("equivalent"),
        expected_seeds=average("expected_seeds"),
        stop_probs=tuple(np.mean([one.stop_probs for one in found], axis=0).tolist()),
        mean_estimate=float(np.mean([one.mean_estimate * sd for one, sd in zip(found, sds, strict=True)])),
    )


def bias_adjusted_mean(
    mean: float,
    sd: float,
    design: SequentialDesign,
    *,
    margin: float | None = None,
    alpha: float = 0.05,
    num_conditions: int = 1,
) -> float:
    """Return the true difference at which the design gives the measured mean difference on average.

    A comparison that stops as soon as it is decided stops at large estimates more often than at small ones.
    (Source: Whitehead 1986, doi:10.1093/biomet/73.3.573; here the expectation is simulated.)

    Args:
        mean: Mean paired difference when the comparison stopped, at a decision or at the last look.
        sd: Standard deviation of the paired differences.
        design, alpha, num_conditions: Arguments of `operating_characteristics`.
        margin: Equivalence margin, in the unit of `mean`.
    """
    if len(design.looks) == 1 or not sd > 0:
        return mean
    # Rounding the margin lets comparisons share a simulation; its effect on the bias is small.
    margin_in_sd = None if margin is None else min(max(margin / sd, 0.1), 10.0)
    if margin_in_sd is not None:
        margin_in_sd = _MARGIN_RATIO ** round(math.log(margin_in_sd, _MARGIN_RATIO))
    expected = _expected_estimates(design, margin_in_sd, alpha, num_conditions)
    measured = abs(mean) / sd
    if measured >= expected[-1]:
        return mean
    return math.copysign(float(np.interp(measured, expected, _EFFECTS)) * sd, mean)


@lru_cache(maxsize=64)
def _expected_estimates(
    design: SequentialDesign, margin_in_sd: float | None, alpha: float, num_conditions: int
) -> Values:
    found = [
        operating_characteristics(
            design,
            effect,
            margin_in_sd,
            alpha=alpha,
            num_conditions=num_conditions,
            num_paths=NUM_BIAS_PATHS,
        ).mean_estimate
        for effect in _EFFECTS
    ]
    found[0] = 0.0  # by symmetry
    return np.maximum.accumulate(np.array(found))


@lru_cache(maxsize=8)
def _paths(looks: tuple[int, ...], num_paths: int) -> tuple[Values, Values, Values]:
    """Return the looks, and means and standard deviations of standard normal values: (num_looks, paths)."""
    rng = np.random.default_rng(_SEED)
    num_paths = min(num_paths, MAX_VALUES // len(looks))
    _, means, sds = zip(*simulated_looks(looks, num_paths, rng), strict=True)
    return np.array(looks, dtype=float), np.array(means), np.array(sds)
