"""Where a condition stands in its design: before, at or beyond the number of seeds that was planned."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from dropout_lab.comparison.selection import paired_seeds
from dropout_lab.records import Design, RunRecord


class Stage(StrEnum):
    """How far the runs of a condition have come in their design.

    INTERIM: fewer seeds than planned. PLANNED: the planned number, tested once. SEQUENTIAL: at or between
    the looks of a sequential design. EXTENDED: seeds were added after a look that allowed a verdict.
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
        planned: Seeds of the latest design; the most of a sequential one.
        looks: Numbers of seeds at which a verdict was possible so far, in order.
        design: The latest design; None if none was logged: then the runs that exist are what was planned.
        error_rate: Probability of a false verdict over all looks, for an extended design; else NaN.
    """

    condition: str
    stage: Stage
    num_seeds: int
    planned: int
    looks: tuple[int, ...]
    design: Design | None
    error_rate: float = float("nan")


def find_standing(
    condition: str, runs: Mapping[int, RunRecord], reference_runs: Mapping[int, RunRecord]
) -> Standing:
    """Return where `condition` stands, from the designs that its runs and the reference's were started with.

    Pairs are ordered by when their later run started. A design that was completed was a look.

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
    num_seeds, num_fixed = 0, 0
    for design, group in groupby(later, key=lambda run: run.design):
        num_seeds += len(list(group))
        last = looks[-1] if looks else 0
        if design is not None and design.is_sequential:
            looks += [look for look in design.looks if last < look <= num_seeds]
        elif num_seeds > 1 and (design is None or num_seeds >= design.first):
            looks.append(num_seeds)
            num_fixed += 1
    latest = later[-1].design if later else None
    planned = num_seeds if latest is None else latest.most
    return Standing(
        condition=condition,
        stage=_stage(latest, num_seeds, planned, looks, num_fixed),
        num_seeds=num_seeds,
        planned=planned,
        looks=tuple(looks),
        design=latest,
    )


def _stage(design: Design | None, num_seeds: int, planned: int, looks: list[int], num_fixed: int) -> Stage:
    if design is not None and design.is_sequential:
        if num_seeds < design.first:
            return Stage.INTERIM
        return Stage.EXTENDED if num_fixed or num_seeds > design.most else Stage.SEQUENTIAL
    if num_seeds < planned:
        return Stage.INTERIM
    return Stage.EXTENDED if len(looks) > 1 else Stage.PLANNED


def _start(run: RunRecord) -> tuple[float, str]:
    return run.start_time.timestamp(), run.run_id
