"""Choose the included runs: finished, of the current spec, one per condition and seed."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from dropout_lab.comparison.findings import Exclusion
from dropout_lab.errors import UsageError, did_you_mean
from dropout_lab.records import RunRecord, RunStatus
from dropout_lab.site_params import logged_rates

_LARGEST = 1e300  # MLflow stores infinity as 1.8e308

FAILED = "failed"
_REASONS = {
    RunStatus.RUNNING: "still running",
    RunStatus.FAILED: FAILED,
    RunStatus.KILLED: "stopped before its end",
    RunStatus.INTERRUPTED: "interrupted: its process died (continue it with `dropout-lab resume`)",
}
OTHER_SPEC = "belongs to another spec of this condition (run that spec again to compare it instead)"


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Included runs, in order of condition and seed, and excluded ones.

    Attributes:
        conditions: The reference first, the others in the order in which they were first trained.
        runs: By condition, then by seed; at least one in each condition.
    """

    reference: str
    conditions: tuple[str, ...]
    runs: Mapping[str, Mapping[int, RunRecord]]
    exclusions: tuple[Exclusion, ...]

    def all_runs(self) -> tuple[RunRecord, ...]:
        """Return all included runs."""
        return tuple(run for by_seed in self.runs.values() for run in by_seed.values())

    def only(self, conditions: Collection[str]) -> "Selection":
        """Return the part of the selection about `conditions` and the reference; all of it if empty."""
        if not conditions:
            return self
        names = tuple(name for name in self.conditions if name == self.reference or name in conditions)
        return Selection(
            reference=self.reference,
            conditions=names,
            runs={name: self.runs[name] for name in names},
            exclusions=tuple(one for one in self.exclusions if one.condition in names),
        )


def select_runs(
    runs: Iterable[RunRecord], *, conditions: Collection[str] = (), reference: str | None = None
) -> Selection:
    """Choose the included runs of all conditions.

    Args:
        runs: Runs of one experiment, any order or status.
        conditions: Conditions that must have finished runs; they also come first when a reference is chosen.
        reference: By default the condition ``baseline``, else one without dropout, else the first.

    Raises:
        UsageError: If a condition does not exist or has no finished run.
    """
    in_time = sorted(runs, key=lambda run: (run.start_time, run.run_id))
    names = list(dict.fromkeys(run.condition for run in in_time))
    for name in [*conditions, *([reference] if reference is not None else [])]:
        if name not in names:
            raise UsageError(
                f"Condition {name!r} not found{did_you_mean(name, names)}",
                hint=f"Available: {', '.join(names)}." if names else "The experiment has no runs.",
            )
    finished = [run for run in in_time if run.status is RunStatus.FINISHED]
    chosen = _choose_reference(finished, names, conditions) if reference is None else reference
    ordered = [chosen, *(name for name in names if name != chosen)]
    current = _current_specs(finished)
    included = {
        name: _latest_by_seed(
            run for run in finished if run.condition == name and run.spec_fingerprint == current[name]
        )
        for name in ordered
    }
    unfinished = [name for name in ordered if not included[name]]
    if chosen in unfinished or set(conditions) & set(unfinished) or len(unfinished) == len(ordered):
        raise UsageError(
            f"No finished run of {' or '.join(unfinished)}.",
            hint="`dropout-lab runs` lists all runs; `dropout-lab run SPEC` continues unfinished ones.",
        )
    kept = {run.run_id for by_seed in included.values() for run in by_seed.values()}
    exclusions = [
        _exclusion(run, _reason(run, current))
        for run in sorted(in_time, key=lambda run: (run.condition, run.seed))
        if run.run_id not in kept
    ]
    names_kept = tuple(name for name in ordered if included[name])
    return Selection(
        reference=chosen,
        conditions=names_kept,
        runs={name: included[name] for name in names_kept},
        exclusions=tuple(exclusions),
    )


def metric_values(
    runs: Mapping[int, RunRecord], metric: str
) -> tuple[dict[int, float], tuple[Exclusion, ...]]:
    """Return the finite values of a metric by seed, and the runs without one."""
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
    """Return the shared seeds, or an empty list if too few are shared.

    Runs are paired if at least two seeds, and at least half of those of the smaller condition, are shared
    (or if both have only the same one seed). This depends on seeds alone, never on values.
    """
    shared = sorted(set(seeds) & set(reference_seeds))
    smaller = min(len(seeds), len(reference_seeds))
    return shared if len(shared) >= min(2, smaller) and 2 * len(shared) >= smaller else []


def format_seeds(seeds: Iterable[int]) -> str:
    """Return ``0-4, 7`` for the seeds 0, 1, 2, 3, 4 and 7."""
    # Consecutive numbers keep their distance to their position.
    runs_of_seeds = groupby(enumerate(sorted(seeds)), key=lambda pair: pair[1] - pair[0])
    parts = []
    for _, group in runs_of_seeds:
        members = [seed for _, seed in group]
        first, last = members[0], members[-1]
        parts += [f"{first}-{last}"] if last - first > 1 else [str(seed) for seed in members]
    return ", ".join(parts)


def _choose_reference(finished: Sequence[RunRecord], names: Sequence[str], wanted: Collection[str]) -> str:
    """Choose among the conditions with finished runs; ``baseline`` even if it is not among those wanted."""
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
    rates = list(logged_rates(run.spec).values())
    named = run.condition.lower().rpartition("=")[2] if "dropout" in run.condition.lower() else ""
    return all(rate in ("0", "0.0") for rate in rates or [named])


def _current_specs(finished: Iterable[RunRecord]) -> dict[str, str]:
    """Return the fingerprint of each condition's current spec: that of the finished run last asked for."""
    latest: dict[str, RunRecord] = {}
    for run in finished:
        if run.condition not in latest or _requested(run) >= _requested(latest[run.condition]):
            latest[run.condition] = run
    return {name: run.spec_fingerprint for name, run in latest.items()}


def _requested(run: RunRecord) -> datetime:
    return max(run.start_time, run.requested or run.start_time)


def _latest_by_seed(runs: Iterable[RunRecord]) -> dict[int, RunRecord]:
    return dict(sorted({run.seed: run for run in runs}.items()))


def _reason(run: RunRecord, current: Mapping[str, str]) -> str:
    if run.status is not RunStatus.FINISHED:
        return _REASONS[run.status]
    if run.spec_fingerprint != current[run.condition]:
        return OTHER_SPEC
    return "a later run of this condition and seed is included"


def _exclusion(run: RunRecord, reason: str, metric: str = "") -> Exclusion:
    return Exclusion(
        run_id=run.run_id,
        run_name=run.run_name,
        condition=run.condition,
        seed=run.seed,
        reason=reason,
        metric=metric,
    )
