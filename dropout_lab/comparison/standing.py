"""Where a condition stands in its design: before, at or beyond the number of seeds that was planned."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import groupby

from dropout_lab.comparison.selection import paired_seeds
from dropout_lab.records import Design, RunRecord
from dropout_lab.statistics.sequential import SequentialDesign


class Stage(StrEnum):
    """How far the runs of a condition have come in their design.

    INTERIM: fewer seeds than planned. PLANNED: the planned number, tested once. SEQUENTIAL: at or between
    the looks of a sequential design. EXTENDED: seeds were added after a look that allowed a verdict, and that
    the latest design does not plan.
    """

    INTERIM = "interim"
    PLANNED = "planned"
    SEQUENTIAL = "sequential"
    EXTENDED = "extended"


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where one condition stands.

    Attributes:
        num_seeds: Finished pairs; of unpaired runs, the smaller of the two numbers of seeds.
        seeds: Seeds of the pairs, in the order in which both runs had ended; empty if unpaired.
        planned: Seeds at the next look, or at this one; of a sequential design the most.
        looks: Numbers of seeds at which a verdict was possible so far, in order.
        design: The latest design; None if none was logged: then the runs that exist are what was planned.
        error_rate: Probability of a false verdict over all looks, for an extended design; else NaN.
    """

    condition: str
    stage: Stage
    num_seeds: int
    seeds: tuple[int, ...]
    planned: int
    looks: tuple[int, ...]
    design: Design | None
    error_rate: float = float("nan")

    @property
    def sequential_design(self) -> SequentialDesign | None:
        """The design whose looks decide; None unless the stage is SEQUENTIAL."""
        if self.stage is not Stage.SEQUENTIAL or self.design is None:
            return None
        return SequentialDesign(first=self.design.first, most=self.design.most, step=self.design.step)

    def tested_seeds(self, values: Collection[int], reference: Collection[int]) -> list[int]:
        """Return the shared seeds that are tested: after a look, those of the last one.

        Args:
            values, reference: Seeds with a value, of the condition and of the reference.

        Returns:
            The seeds, of a sequential design in the order of training; none if the runs are not paired.
        """
        shared = paired_seeds(values, reference)
        in_order = [seed for seed in self.seeds if seed in shared]
        if self.sequential_design is not None:
            looks = self.sequential_design.looks_until(len(in_order))
            return in_order[: looks[-1]] if looks else in_order
        return sorted(in_order[: self.looks[-1]]) if self.stage is Stage.EXTENDED else shared

    def in_metric(
        self, metric: str, runs: Mapping[int, RunRecord], reference_runs: Mapping[int, RunRecord]
    ) -> "Standing":
        """Return where the condition stands in a metric that an evaluation may have logged to some runs only.

        Args:
            metric: Its name.
            runs, reference_runs: As in `find_standing`.
        """
        measured = [
            seed
            for seed in self.seeds
            if metric in runs[seed].metrics and metric in reference_runs[seed].metrics
        ]
        is_partial = 0 < len(measured) < len(self.seeds)
        if not is_partial or self.design is None or self.stage is Stage.SEQUENTIAL:
            return self
        return replace(self, stage=Stage.INTERIM, num_seeds=len(measured))


def find_standing(
    condition: str, runs: Mapping[int, RunRecord], reference_runs: Mapping[int, RunRecord]
) -> Standing:
    """Return where `condition` stands, from the designs that its runs and the reference's were started with.

    Pairs are ordered by when both runs had ended, as looks see them. A fixed design allows a look once as
    many seeds as it plans are there, or were added, and a sequential one at each of its looks.

    Args:
        condition: Its name.
        runs, reference_runs: Included runs of the condition and of the reference, by seed.
    """
    shared = paired_seeds(runs, reference_runs)
    if shared:
        shared = sorted(shared, key=lambda seed: max(_end(runs[seed]), _end(reference_runs[seed])))
        later = [max(runs[seed], reference_runs[seed], key=_start) for seed in shared]
    else:
        later = sorted(runs.values(), key=_end)[: min(len(runs), len(reference_runs))]
    looks: list[int] = []
    schedules = set()
    num_seeds = planned = 0
    for design, group in groupby(later, key=lambda run: run.design):
        before, num_seeds = num_seeds, num_seeds + len(list(group))
        coming = _looks(design, before, num_seeds)
        last, planned = max(looks, default=1), coming[-1]
        if made := [look for look in coming if last < look <= num_seeds]:
            looks += made
            schedules.add(_schedule(design))
    latest = later[-1].design if later else None
    return Standing(
        condition=condition,
        stage=_stage(latest, num_seeds, planned, len(looks), schedules),
        num_seeds=num_seeds,
        seeds=tuple(shared),
        planned=planned,
        looks=tuple(looks),
        design=latest,
    )


def _looks(design: Design | None, before: int, num_seeds: int) -> tuple[int, ...]:
    """Return the numbers of seeds at which a design allows a verdict.

    Args:
        design: The design; without one, the seeds that exist are what was planned.
        before: Seeds that were there before it.
        num_seeds: Seeds that are there now. A fixed design that was repeated allows a look after each time;
            the last one is still to come if the seeds are not complete.
    """
    if design is None:
        return (num_seeds,)
    if design.is_sequential:
        return design.looks
    first = design.first if design.first > before else before + design.first
    return tuple(range(first, max(first, num_seeds) + design.first, design.first))


def _schedule(design: Design | None) -> tuple[int, ...]:
    return () if design is None else (design.first, design.most, design.step)


def _stage(
    design: Design | None,
    num_seeds: int,
    planned: int,
    num_looks: int,
    schedules: Collection[tuple[int, ...]],
) -> Stage:
    if design is not None and design.is_sequential:
        if _schedule(design) not in schedules:
            return Stage.INTERIM
        return Stage.SEQUENTIAL if len(schedules) == 1 else Stage.EXTENDED
    if num_seeds < planned:
        return Stage.INTERIM
    return Stage.EXTENDED if num_looks > 1 else Stage.PLANNED


def _start(run: RunRecord) -> tuple[float, str]:
    return run.start_time.timestamp(), run.run_id


def _end(run: RunRecord) -> tuple[float, str]:
    return (run.end_time or run.start_time).timestamp(), run.run_id
