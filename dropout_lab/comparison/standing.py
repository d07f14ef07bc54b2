"""Where a condition stands in its design: before, at or beyond the number of seeds that was planned."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
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
        seeds: Seeds of the pairs, in order of the start of the later run; empty if unpaired.
        planned: Seeds of the latest design; the most of a sequential one.
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
        """Return the shared seeds that are tested: in a sequential design those of the last look, if any.

        Args:
            values, reference: Seeds with a value, of the condition and of the reference.

        Returns:
            The seeds, of a sequential design in the order of training; none if the runs are not paired.
        """
        shared = paired_seeds(values, reference)
        if self.sequential_design is None:
            return shared
        in_order = [seed for seed in self.seeds if seed in shared]
        looks = self.sequential_design.looks_until(len(in_order))
        return in_order[: looks[-1]] if looks else in_order


def find_standing(
    condition: str, runs: Mapping[int, RunRecord], reference_runs: Mapping[int, RunRecord]
) -> Standing:
    """Return where `condition` stands, from the designs that its runs and the reference's were started with.

    Pairs are ordered by when their later run started. A fixed design allowed a look whenever as many seeds
    as it plans were added, and a sequential one at each of its looks.

    Args:
        condition: Its name.
        runs, reference_runs: Included runs of the condition and of the reference, by seed.
    """
    shared = paired_seeds(runs, reference_runs)
    if shared:
        later = [max(runs[seed], reference_runs[seed], key=_start) for seed in shared]
    else:
        later = sorted(runs.values(), key=_start)[: min(len(runs), len(reference_runs))]
    later.sort(key=_start)
    looks: list[int] = []
    schedules = set()
    num_seeds = 0
    for design, group in groupby(later, key=lambda run: run.design):
        num_seeds += len(list(group))
        last = max(looks, default=1)
        if made := [look for look in _looks(design, num_seeds) if last < look <= num_seeds]:
            looks += made
            schedules.add(_schedule(design))
    latest = later[-1].design if later else None
    planned = num_seeds if latest is None else latest.most
    return Standing(
        condition=condition,
        stage=_stage(latest, num_seeds, len(looks), schedules),
        num_seeds=num_seeds,
        seeds=tuple(run.seed for run in later) if shared else (),
        planned=planned,
        looks=tuple(looks),
        design=latest,
    )


def _looks(design: Design | None, num_seeds: int) -> tuple[int, ...]:
    """Return the numbers of seeds at which `design` allows a verdict, if it goes on to `num_seeds`."""
    if design is None:
        return (num_seeds,)
    if design.is_sequential:
        return design.looks
    if num_seeds < design.first:
        return ()
    return (*range(design.first, num_seeds, design.first), num_seeds)


def _schedule(design: Design | None) -> tuple[int, ...]:
    return () if design is None else (design.first, design.most, design.step)


def _stage(
    design: Design | None, num_seeds: int, num_looks: int, schedules: Collection[tuple[int, ...]]
) -> Stage:
    if design is not None and num_seeds < design.first:
        return Stage.INTERIM
    if design is not None and design.is_sequential:
        is_as_planned = num_seeds <= design.most and set(schedules) == {_schedule(design)}
        return Stage.SEQUENTIAL if is_as_planned else Stage.EXTENDED
    return Stage.EXTENDED if num_looks > 1 else Stage.PLANNED


def _start(run: RunRecord) -> tuple[float, str]:
    return run.start_time.timestamp(), run.run_id
