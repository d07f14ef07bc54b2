"""Which runs count: finished ones, one for each condition and seed, with finite figures."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from dropout_lab.comparison.findings import Exclusion
from dropout_lab.errors import UsageError, did_you_mean
from dropout_lab.records import RunRecord, RunStatus

_LARGEST = 1e300  # MLflow stores infinity as 1.8e308

FAILED = "failed"
_REASONS = {
    RunStatus.RUNNING: "still running",
    RunStatus.FAILED: FAILED,
    RunStatus.KILLED: "stopped before its end",
    RunStatus.INTERRUPTED: "interrupted: its process is gone (`dropout-lab resume` continues it)",
}


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The runs that count, in order of condition and seed, and those that do not.

    Attributes:
        conditions: The reference first, the others in the order in which they were first trained.
        runs: By condition, then by seed; at least one in each condition.
    """

    reference: str
    conditions: tuple[str, ...]
    runs: Mapping[str, Mapping[int, RunRecord]]
    exclusions: tuple[Exclusion, ...]

    def all_runs(self) -> tuple[RunRecord, ...]:
        """Return every run that counts."""
        return tuple(run for by_seed in self.runs.values() for run in by_seed.values())


def select_runs(
    runs: Iterable[RunRecord], *, conditions: Collection[str] = (), reference: str | None = None
) -> Selection:
    """Choose the runs that count.

    Args:
        runs: Of one experiment, in any order.
        conditions: Only these, and the reference; all where empty.
        reference: By default the condition called ``baseline``, else one without dropout, else the first.

    Raises:
        UsageError: A condition is not there, or has no finished run.
    """
    in_time = sorted(runs, key=lambda run: (run.start_time, run.run_id))
    names = list(dict.fromkeys(run.condition for run in in_time))
    for name in [*conditions, *([reference] if reference is not None else [])]:
        if name not in names:
            raise UsageError(
                f"No run has the condition {name!r}{did_you_mean(name, names)}",
                hint=f"The experiment has: {', '.join(names)}." if names else "The experiment has no runs.",
            )
    finished = [run for run in in_time if run.status is RunStatus.FINISHED]
    chosen = _choose_reference(finished, names, conditions) if reference is None else reference
    wanted = [chosen, *(name for name in names if name != chosen and (not conditions or name in conditions))]
    counted = {name: _latest_by_seed(finished, name) for name in wanted}
    unfinished = [name for name in wanted if not counted[name]]
    if chosen in unfinished or set(conditions) & set(unfinished) or len(unfinished) == len(wanted):
        raise UsageError(
            f"No run of {' or '.join(unfinished)} has finished: there is nothing to compare yet.",
            hint="`dropout-lab runs` shows their states; `dropout-lab run SPEC` continues unfinished ones.",
        )
    kept = {run.run_id for by_seed in counted.values() for run in by_seed.values()}
    exclusions = [
        _exclusion(run, _REASONS.get(run.status, "a later run of this condition and seed counts"))
        for run in sorted(in_time, key=lambda run: (run.condition, run.seed))
        if run.condition in wanted and run.run_id not in kept
    ]
    names_kept = tuple(name for name in wanted if counted[name])
    return Selection(
        reference=chosen,
        conditions=names_kept,
        runs={name: counted[name] for name in names_kept},
        exclusions=tuple(exclusions),
    )


def metric_values(
    runs: Mapping[int, RunRecord], metric: str
) -> tuple[dict[int, float], tuple[Exclusion, ...]]:
    """Return a metric's finite values by seed, and the runs that have none."""
    values, exclusions = {}, []
    for seed, run in sorted(runs.items()):
        value = run.metrics.get(metric)
        if value is not None and math.isfinite(value) and abs(value) < _LARGEST:
            values[seed] = float(value)
        else:
            reason = f"{metric} was not logged" if value is None else f"{metric} is not finite"
            exclusions.append(_exclusion(run, reason, metric))
    return values, tuple(exclusions)


def paired_seeds(seeds: Collection[int], reference_seeds: Collection[int]) -> list[int]:
    """Return the seeds to pair two conditions by; empty where pairing would leave out too much.

    Pairs are made where at least two seeds, and at least half of the smaller condition's, are shared
    (or where both have nothing but one seed, the same). This looks at seeds alone, never at figures.
    """
    shared = sorted(set(seeds) & set(reference_seeds))
    smaller = min(len(seeds), len(reference_seeds))
    return shared if len(shared) >= min(2, smaller) and 2 * len(shared) >= smaller else []


def format_seeds(seeds: Iterable[int]) -> str:
    """Return ``0 to 4, 7`` for the seeds 0, 1, 2, 3, 4 and 7."""
    # Consecutive numbers keep their distance to their position.
    runs_of_seeds = groupby(enumerate(sorted(seeds)), key=lambda pair: pair[1] - pair[0])
    parts = []
    for _, group in runs_of_seeds:
        members = [seed for _, seed in group]
        first, last = members[0], members[-1]
        parts += [f"{first} to {last}"] if last - first > 1 else [str(seed) for seed in members]
    return ", ".join(parts)


def _choose_reference(finished: Sequence[RunRecord], names: Sequence[str], wanted: Collection[str]) -> str:
    """Choose among the conditions with finished runs; ``baseline`` even if it was not asked for."""
    trained = list(dict.fromkeys(run.condition for run in finished))
    if "baseline" in trained:
        return "baseline"
    candidates = [name for name in trained if not wanted or name in wanted] or list(wanted or names)
    for name in candidates:
        if all(_has_no_dropout(run) for run in finished if run.condition == name):
            return name
    if not candidates:
        raise UsageError("The experiment has no runs.", hint="Train some with `dropout-lab run SPEC`.")
    return candidates[0]


def _has_no_dropout(run: RunRecord) -> bool:
    rates = [value for key, value in run.spec.items() if key.startswith("model.dropout.")]
    return bool(rates) and all(rate in ("0", "0.0") for rate in rates)


def _latest_by_seed(finished: Sequence[RunRecord], condition: str) -> dict[int, RunRecord]:
    latest = {run.seed: run for run in finished if run.condition == condition}
    return dict(sorted(latest.items()))


def _exclusion(run: RunRecord, reason: str, metric: str = "") -> Exclusion:
    return Exclusion(
        run_id=run.run_id,
        run_name=run.run_name,
        condition=run.condition,
        seed=run.seed,
        reason=reason,
        metric=metric,
    )
