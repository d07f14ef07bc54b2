"""Seeds that would decide a comparison if the true difference were the measured one."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dropout_lab.comparison.seed_noise import MIN_SEEDS, latest_values
from dropout_lab.comparison.seed_plan import SeedGoal
from dropout_lab.comparison.selection import paired_seeds, select_runs
from dropout_lab.records import RunRecord
from dropout_lab.statistics.methods import Method
from dropout_lab.statistics.power import seeds_to_decide


def seeds_as_measured(
    difference: float,
    sd_difference: float,
    n: int,
    *,
    margin: float | None,
    confidence: float,
    num_comparisons: int,
    paired: bool = True,
    method: Method | str = Method.T,
) -> int | None:
    """Return the seeds that decide a comparison with power 0.8 if the true difference is the measured one.

    Args:
        difference, sd_difference, n: What was measured, as in `results.Difference`.
        margin, confidence, num_comparisons, paired, method: How it is tested.

    Returns:
        None if more than 10,000 would be needed, or nothing is known of the noise.
    """
    if n < MIN_SEEDS or math.isnan(sd_difference):
        return None
    return seeds_to_decide(
        difference,
        sd_difference,
        margin=margin,
        sd_degrees=(n - 1) * (1 if paired else 2),
        alpha=1 - confidence,
        num_comparisons=num_comparisons,
        paired=paired,
        # A difference that does not vary is tested by its signs.
        method=method if sd_difference else Method.SIGN_FLIP,
    )


@dataclass(frozen=True, kw_only=True)
class MeasuredDifference:
    """The difference of a condition from the reference over the finished runs so far.

    Attributes:
        seeds_needed: The result of `seeds_as_measured`.
    """

    condition: str
    difference: float
    n: int
    seeds_needed: int | None


def measured_differences(runs: Sequence[RunRecord], goal: SeedGoal) -> tuple[MeasuredDifference, ...]:
    """Return the differences that finished runs show, paired by seed; none without two pairs.

    Args:
        runs: Finished runs of the conditions that are to be compared.
        goal: Metric, margin and level.
    """
    if len({run.condition for run in runs}) < 2:
        return ()
    reference = select_runs(runs).reference
    values = latest_values(runs, goal.metric)
    found = []
    for condition, by_seed in values.items():
        shared = paired_seeds(by_seed, values[reference])
        if condition == reference or len(shared) < MIN_SEEDS:
            continue
        differences = np.array([by_seed[seed] - values[reference][seed] for seed in shared])
        mean, sd = float(np.mean(differences)), float(np.std(differences, ddof=1))
        needed = seeds_as_measured(
            mean,
            sd,
            len(shared),
            margin=goal.margin,
            confidence=goal.confidence,
            num_comparisons=goal.num_comparisons,
        )
        found.append(
            MeasuredDifference(condition=condition, difference=mean, n=len(shared), seeds_needed=needed)
        )
    return tuple(found)


def rounded_seeds(num_seeds: int) -> int:
    """Return a number of seeds to two digits, as it is shown: 1073 becomes 1100."""
    return int(float(f"{num_seeds:.2g}"))
