"""How many seeds to train: from the noise between seeds to the number that a wanted certainty takes."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

import numpy as np

from dropout_lab.comparison.selection import metric_values, paired_seeds
from dropout_lab.errors import UsageError
from dropout_lab.evaluation.metrics import metric_info
from dropout_lab.records import RunRecord, RunStatus
from dropout_lab.statistics.power import (
    DEFAULT_SEED_SD,
    power_of_difference,
    power_of_equivalence,
    seeds_for_power,
)

MIN_SEEDS = 3
"""Fewer measured seeds say next to nothing about noise."""


@dataclass(frozen=True, kw_only=True)
class SeedNoise:
    """How much the difference between two conditions' runs varies from seed to seed.

    Attributes:
        sd_difference: Standard deviation of the difference between two runs.
        source: Where it comes from, in words.
    """

    sd_difference: float
    source: str


@dataclass(frozen=True, kw_only=True)
class SeedPlan:
    """The number of seeds a condition, and what they promise.

    Attributes:
        difference: The true difference that is to be found.
        num_comparisons: Conditions compared with the reference.
        num_seeds: Seeds with which it is found with at least `power`; None beyond 10,000.
        promised_power: With that number.
        equivalence_seeds: Seeds with which equivalence within `margin` is shown, where there is no
            difference at all, with at least `power`; None without a margin, or beyond 10,000.
        margin: Of equivalence; None where the metric has none.
    """

    metric: str
    difference: float
    power: float
    confidence: float
    num_comparisons: int
    noise: SeedNoise
    num_seeds: int | None
    promised_power: float
    equivalence_seeds: int | None
    margin: float | None


def measure_noise(runs: Iterable[RunRecord], metric: str) -> SeedNoise | None:
    """Measure the noise of differences from finished runs of the conditions that are to be compared.

    From pairs of conditions at shared seeds, whose variances are pooled; else from the spread of each
    condition over its seeds, as if conditions at one seed had nothing in common.

    Args:
        runs: Of one experiment, in any state; the latest finished one of a condition and seed counts.
        metric: Its name.

    Returns:
        None where no condition has three seeds.
    """
    by_condition: dict[str, dict[int, RunRecord]] = {}
    for run in sorted(runs, key=lambda run: (run.start_time, run.run_id)):
        if run.status is RunStatus.FINISHED:
            by_condition.setdefault(run.condition, {})[run.seed] = run
    values = {name: metric_values(by_seed, metric)[0] for name, by_seed in sorted(by_condition.items())}
    differences = []
    for first, second in combinations(values, 2):
        shared = paired_seeds(values[first], values[second])
        if len(shared) >= MIN_SEEDS:
            differences.append([values[first][seed] - values[second][seed] for seed in shared])
    if differences:
        num_pairs = max(map(len, differences))
        return SeedNoise(
            sd_difference=_pooled_sd(differences), source=f"measured over {num_pairs} pairs of runs"
        )
    spreads = [list(by_seed.values()) for by_seed in values.values() if len(by_seed) >= MIN_SEEDS]
    if spreads:
        num_seeds = max(map(len, spreads))
        return SeedNoise(
            sd_difference=math.sqrt(2) * _pooled_sd(spreads),
            source=f"measured over {num_seeds} seeds of one condition",
        )
    return None


def default_noise(metric: str) -> SeedNoise:
    """Return the noise that is assumed of test accuracy where none was measured yet.

    Raises:
        UsageError: Of another metric nothing is assumed.
    """
    if metric != "test_accuracy":
        raise UsageError(
            f"The noise of {metric} between seeds is not known: no condition of this spec has "
            f"{MIN_SEEDS} finished runs that logged it.",
            hint="Give its standard deviation over seeds with --sd, or train a few seeds first.",
        )
    return noise_of_runs(DEFAULT_SEED_SD, "assumed, as none was measured yet")


def noise_of_runs(sd: float, source: str) -> SeedNoise:
    """Return the noise of differences between runs that each vary by `sd` on their own."""
    return SeedNoise(
        sd_difference=math.sqrt(2) * sd, source=f"{source}: a standard deviation of {sd:g} over seeds"
    )


def plan_seeds(
    metric: str,
    noise: SeedNoise,
    *,
    difference: float | None = None,
    margin: float | None = None,
    power: float = 0.8,
    confidence: float = 0.95,
    num_comparisons: int = 1,
) -> SeedPlan:
    """Return the seeds that finding `difference` takes, and those that showing equivalence takes.

    Args:
        metric: Its name.
        noise: Of the difference between two runs.
        difference: To be found; by default two and a half times the margin.
        margin: Of equivalence; by default the metric's own.
        power: Probability of finding it.
        confidence: One minus the family-wise error rate.
        num_comparisons: Conditions compared with the reference.

    Raises:
        UsageError: There is neither a difference nor a margin.
    """
    margin = metric_info(metric).margin if margin is None else margin
    if difference is None:
        if margin is None:
            raise UsageError(f"Which difference in {metric} matters is not known: give it with --difference.")
        difference = 2.5 * margin
    sd, alpha, wanted = noise.sd_difference, 1 - confidence, difference

    def finds(n: int) -> float:
        return power_of_difference(wanted, sd, n, alpha=alpha, num_comparisons=num_comparisons)

    def shows_equivalence(n: int) -> float:
        return power_of_equivalence(
            0.0, sd, n, margin=margin or 0.0, alpha=alpha, num_comparisons=num_comparisons
        )

    num_seeds = seeds_for_power(finds, power)
    return SeedPlan(
        metric=metric,
        difference=difference,
        power=power,
        confidence=confidence,
        num_comparisons=num_comparisons,
        noise=noise,
        num_seeds=num_seeds,
        promised_power=math.nan if num_seeds is None else finds(num_seeds),
        equivalence_seeds=None if margin is None else seeds_for_power(shows_equivalence, power),
        margin=margin,
    )


def run_seconds(runs: Iterable[RunRecord], num_epochs: Mapping[str, int]) -> tuple[float, str] | None:
    """Return how long one run takes, as measured, and on which hardware.

    Args:
        runs: Of the conditions that are to be trained.
        num_epochs: Epochs of each condition; runs of other conditions are not looked at.

    Returns:
        Seconds, the median over the runs on the hardware that the latest run had, and its name; None where
        no run has logged ``epoch_seconds``.
    """
    timed = [run for run in runs if run.condition in num_epochs and "epoch_seconds" in run.metrics]
    if not timed:
        return None
    device_name = max(timed, key=lambda run: run.start_time).device_name
    seconds = [
        run.metrics["epoch_seconds"] * num_epochs[run.condition] + run.metrics.get("evaluation_seconds", 0.0)
        for run in timed
        if run.device_name == device_name
    ]
    return median(seconds), device_name


def _pooled_sd(groups: Sequence[Sequence[float]]) -> float:
    squares = sum((len(group) - 1) * float(np.var(group, ddof=1)) for group in groups)
    return math.sqrt(squares / sum(len(group) - 1 for group in groups))
