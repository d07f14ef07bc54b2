"""Plan the seeds of a spec; `dropout-lab plan` prints what this returns."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dropout_lab.api.running import Seeds, override_texts, with_overrides
from dropout_lab.api.training import starting
from dropout_lab.comparison import seed_noise, seed_plan
from dropout_lab.comparison.measured_seeds import MeasuredDifference, measured_differences
from dropout_lab.errors import NoStoreError, UsageError
from dropout_lab.libraries import quiet_libraries
from dropout_lab.records import RunRecord, RunStatus
from dropout_lab.runs.planning import PlannedRun, plan_runs, spec_design
from dropout_lab.spec import Spec
from dropout_lab.statistics.sequential import SequentialDesign

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, kw_only=True)
class PlanResult:
    """How many seeds a spec needs, and how long they take.

    Attributes:
        plan: Goal, noise, seeds per condition, and what designs do at several true differences.
        measured: Differences from the reference that finished runs show.
        conditions: Conditions of the spec.
        finished: Condition and seed of the spec's finished runs.
        run_seconds: Duration of one run; None if it is not known.
        device_name: Hardware of that duration; None if it is not known.
    """

    plan: seed_plan.SeedPlan
    measured: tuple[MeasuredDifference, ...]
    conditions: tuple[str, ...]
    finished: frozenset[tuple[str, int]]
    run_seconds: float | None
    device_name: str | None

    def plot(self) -> "Figure":
        """Draw power and expected seeds of the designs against the true difference.

        Raises:
            UsageError: If the plan has no design.
        """
        from dropout_lab.plotting.power_curve import PowerCurve, draw_power_curves

        goal = self.plan.goal
        if not self.plan.designs:
            raise UsageError("plot: no design to plot", hint="Plan for a larger difference.")
        differences = [goal.difference * step / 8 for step in range(15)]
        curves = [
            PowerCurve(
                label=one.label,
                outcomes=seed_plan.outcomes(
                    SequentialDesign(first=one.first, most=one.most, step=one.step),
                    differences,
                    goal,
                    self.plan.noise,
                ),
            )
            for one in self.plan.designs
        ]
        return draw_power_curves(curves, goal.metric)

    def to_json(self) -> dict[str, Any]:
        """Return the plan as plain data."""
        return {
            **asdict(self.plan),
            "measured": [asdict(one) for one in self.measured],
            "num_conditions": len(self.conditions),
            "num_finished_runs": len(self.finished),
            "run_seconds": self.run_seconds,
            "device_name": self.device_name,
        }


def plan(
    spec: Spec | str | Path,
    *,
    seeds: Seeds | None = None,
    overrides: Sequence[str] | Mapping[str, Any] = (),
    metric: str | None = None,
    difference: float | None = None,
    margin: float | None = None,
    power: float = 0.8,
    confidence: float = 0.95,
    sd: float | None = None,
) -> PlanResult:
    """Estimate how many seeds per condition a spec needs, as ``dropout-lab plan`` does.

    Args:
        spec: Path of a spec file, or a spec made in Python.
        seeds: Design to assess: a count (5) or a sequential design ("5..30"). [default: the spec's]
        overrides: As in `run`.
        metric: Metric to plan for. [default: the spec's primary metric]
        difference: True difference to find, as a fraction. [default: 2.5 times the equivalence margin]
        margin: Equivalence margin as a fraction. [default: that of the spec]
        power: Probability of finding the difference, 0.05 to 0.9999.
        confidence: Confidence level that `compare` will use, 0.5 to 0.9999.
        sd: Standard deviation across seeds. [default: estimated from finished runs]

    Returns:
        Seeds of a fixed and a sequential design, with the noise and the time that they follow from.

    Raises:
        SpecError: If the spec is invalid.
        UsageError: If an argument is invalid, or the noise of the metric is unknown.
        TrackingError: If the tracking store cannot be read; one that does not exist yet has no runs.

    Examples:
        >>> import dropout_lab as dl
        >>> conditions = {"baseline": {"model": {"dropout": 0}}, "dropout": {}}
        >>> dl.plan(dl.Spec(name="ahead", conditions=conditions), difference=0.003).plan.num_seeds
        10
    """
    for name, fraction in (("difference", difference), ("margin", margin), ("sd", sd)):
        if fraction is not None and not (math.isfinite(fraction) and fraction > 0):
            raise UsageError(f"{name}: {fraction} is not a fraction above 0, such as 0.005")
    for name, level, lowest in (("power", power, 0.05), ("confidence", confidence, 0.5)):
        if not lowest <= level <= 0.9999:
            raise UsageError(f"{name}: out of range: {level} (allowed: {lowest} to 0.9999)")
    texts = override_texts({}, overrides, seeds)
    with quiet_libraries():
        loaded = with_overrides(spec, texts)
        design, conditions = spec_design(loaded), {run.condition: run for run in plan_runs(loaded)}
        runs = _finished_runs(loaded.experiment or "", conditions)
    metric = metric or design.primary
    if sd is not None:
        noise = seed_noise.noise_of_runs(sd, "given")
    else:
        noise = seed_noise.measure_noise(runs, metric) or seed_noise.default_noise(metric)
    goal = seed_plan.seed_goal(
        metric,
        difference=difference,
        margin=design.margins.get(metric) if margin is None else margin,
        power=power,
        confidence=confidence,
        num_comparisons=max(1, len(conditions) - 1),
    )
    stated = (
        SequentialDesign(first=design.first, most=design.most, step=design.step) if design.first > 1 else None
    )
    seconds, device_name = seed_noise.run_seconds(
        runs, {name: run.settings.training.epochs for name, run in conditions.items()}
    ) or (None, None)
    return PlanResult(
        plan=seed_plan.plan_seeds(goal, noise, stated),
        measured=measured_differences(runs, goal),
        conditions=tuple(conditions),
        finished=frozenset((run.condition, run.seed) for run in runs),
        run_seconds=seconds,
        device_name=device_name,
    )


def _finished_runs(experiment: str, conditions: Mapping[str, PlannedRun]) -> list[RunRecord]:
    """Return the finished runs of conditions; none if the experiment, or the store, does not exist yet."""
    from dropout_lab.tracking import list_experiments, read_runs

    try:
        known = {one.name for one in list_experiments()}
    except NoStoreError:
        return []
    found = read_runs(experiment, statuses=[RunStatus.FINISHED]) if experiment in known else []
    if not found:
        return []
    fingerprints = {run.condition: run.spec_fingerprint for run in _with_networks(list(conditions.values()))}
    return [run for run in found if fingerprints.get(run.condition) == run.spec_fingerprint]


def _with_networks(planned: list[PlannedRun]) -> list[PlannedRun]:
    """Return planned runs as they are trained: with the sites and the code of the user's networks."""
    if all(run.settings.model.is_built_in for run in planned):
        return planned
    with starting("TensorFlow"):
        from dropout_lab.data.outline import outline_all
        from dropout_lab.runs.networks import resolve_networks
        from dropout_lab.training.own_state import own_state
    with own_state():
        return resolve_networks(planned, outline_all(run.settings.data for run in planned))
