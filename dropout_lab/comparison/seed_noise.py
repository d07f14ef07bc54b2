"""Noise of differences between conditions, and training time, measured from finished runs."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

import numpy as np
from scipy import special

from dropout_lab.comparison.selection import metric_values, paired_seeds
from dropout_lab.errors import UsageError
from dropout_lab.records import RunRecord, RunStatus
from dropout_lab.statistics.power import DEFAULT_SEED_SD

MIN_SEEDS = 2
"""Fewer seeds have no spread."""


@dataclass(frozen=True, kw_only=True)
class SeedNoise:
    """How much the difference between two conditions' runs varies from seed to seed.

    Attributes:
        sd_difference: Standard deviation of the difference between two runs.
        sd_degrees: Its degrees of freedom; infinite if it is assumed or given.
        source: Where it comes from, in words.
    """

    sd_difference: float
    sd_degrees: float
    source: str

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Return the confidence interval of the true standard deviation of normal differences."""
        if math.isinf(self.sd_degrees):
            return self.sd_difference, self.sd_difference
        tail, half = (1 - confidence) / 2, self.sd_degrees / 2
        # Twice the inverse incomplete gamma function is the quantile of chi-squared.
        low, high = (float(special.gammaincinv(half, probability)) / half for probability in (1 - tail, tail))
        return self.sd_difference / math.sqrt(low), self.sd_difference / math.sqrt(high)


def latest_values(runs: Iterable[RunRecord], metric: str) -> dict[str, dict[int, float]]:
    """Return the metric by condition and seed, each from its latest finished run."""
    by_condition: dict[str, dict[int, RunRecord]] = {}
    for run in sorted(runs, key=lambda run: (run.start_time, run.run_id)):
        if run.status is RunStatus.FINISHED:
            by_condition.setdefault(run.condition, {})[run.seed] = run
    return {name: dict(metric_values(by_seed, metric)[0]) for name, by_seed in sorted(by_condition.items())}


def measure_noise(runs: Iterable[RunRecord], metric: str) -> SeedNoise | None:
    """Measure the noise of differences from finished runs of the conditions that are to be compared.

    The variances of pairs of conditions at shared seeds are pooled. Without such pairs, the spread of each
    condition over its seeds is used, as if conditions at one seed were uncorrelated.

    Args:
        runs: Runs of one experiment, in any state.
        metric: Name of the metric.

    Returns:
        None if there are fewer than two seeds, or nothing varies.
    """
    values = latest_values(runs, metric)
    differences, paired = [], set()
    for first, second in combinations(values, 2):
        shared = paired_seeds(values[first], values[second])
        if len(shared) >= MIN_SEEDS:
            differences.append([values[first][seed] - values[second][seed] for seed in shared])
            paired |= {first, second}
    if differences:
        # Of k (k - 1) / 2 pairs of k conditions k - 1 are independent: 2 / k of them.
        return _pooled(differences, 1.0, 2 / len(paired), f"measured with {max(map(len, differences))} pairs")
    spreads = [list(by_seed.values()) for by_seed in values.values() if len(by_seed) >= MIN_SEEDS]
    if spreads:
        num_seeds = max(map(len, spreads))
        return _pooled(spreads, math.sqrt(2), 1.0, f"measured with {num_seeds} seeds of one condition")
    return None


def default_noise(metric: str) -> SeedNoise:
    """Return the noise that is assumed for test accuracy if none was measured.

    Raises:
        UsageError: If it is another metric, for which nothing is assumed.
    """
    if metric != "test_accuracy":
        raise UsageError(
            f"The noise of {metric} between seeds is unknown: no condition of this spec has "
            f"{MIN_SEEDS} finished runs with it.",
            hint="Pass its standard deviation across seeds with --sd, or train a few seeds first: "
            "`dropout-lab run SPEC --seeds 3`.",
        )
    return noise_of_runs(DEFAULT_SEED_SD, "no finished pairs")


def noise_of_runs(sd: float, source: str) -> SeedNoise:
    """Return the noise of differences between uncorrelated runs with a standard deviation of `sd` each."""
    return SeedNoise(sd_difference=math.sqrt(2) * sd, sd_degrees=math.inf, source=source)


def run_seconds(runs: Iterable[RunRecord], num_epochs: Mapping[str, int]) -> tuple[float, str] | None:
    """Return the measured duration of one run, and the hardware.

    Args:
        runs: Finished runs of the conditions that are to be trained.
        num_epochs: Epochs of each condition; runs of other conditions are ignored.

    Returns:
        Seconds from start to end, the median over the runs on the hardware of the latest run, and its name;
        the time of the epochs for runs without an end. None if no run has either.
    """
    timed = []
    for run in sorted(runs, key=lambda run: run.start_time):
        if run.condition not in num_epochs or "epoch_seconds" not in run.metrics:
            continue
        trained = run.metrics["epoch_seconds"] * num_epochs[run.condition]
        trained += run.metrics.get("evaluation_seconds", 0.0)
        whole = (run.end_time - run.start_time).total_seconds() if run.end_time else 0.0
        timed.append((max(trained, whole), run.device_name))
    if not timed:
        return None
    device_name = timed[-1][1]
    return median(seconds for seconds, device in timed if device == device_name), device_name


def _pooled(
    groups: Sequence[Sequence[float]], scale: float, independent: float, source: str
) -> SeedNoise | None:
    degrees = sum(len(group) - 1 for group in groups)
    squares = sum((len(group) - 1) * float(np.var(group, ddof=1)) for group in groups)
    if not squares > 1e-24:
        return None
    return SeedNoise(
        sd_difference=scale * math.sqrt(squares / degrees), sd_degrees=degrees * independent, source=source
    )
