"""Trials of a search: their values, their runs, and what became of them."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from dropout_lab.evaluation.metrics import format_count, format_value, metric_info
from dropout_lab.runs.planning import Origin, PlannedRun, plan_runs
from dropout_lab.spec import Settings, Spec, condition_settings
from dropout_lab.spec.grid import setting_location, short_labels
from dropout_lab.spec.search import BASELINE, BEST, Range, SearchSpec
from dropout_lab.spec.trial_values import trial_settings

SUFFIX = "-search"
"""Ends the name of the experiment of the trials; that of the confirmation is the spec's."""


class TrialState(StrEnum):
    """State of a trial."""

    COMPLETE = "complete"
    PRUNED = "pruned"
    FAILED = "failed"
    RUNNING = "running"


@dataclass(frozen=True)
class Trial:
    """A trial of a search.

    Attributes:
        number: Its number, from 0.
        state: Its state.
        values: Values by field.
        objective: Mean over its seeds; of a pruned trial the mean when it was pruned; NaN without any.
        reason: Why it was pruned or failed.
    """

    number: int
    state: TrialState
    values: Mapping[str, Any] = field(default_factory=dict)
    objective: float = math.nan
    reason: str = ""

    def __str__(self) -> str:
        return f"trial {self.number}"

    @property
    def is_finished(self) -> bool:
        """Whether it is not to be trained any more."""
        return self.state is not TrialState.RUNNING


def search_of(spec: Spec) -> SearchSpec:
    """Return the search of a spec that has one."""
    assert spec.search is not None
    return spec.search


def trial_experiment(spec: Spec) -> str:
    """Return the name of the experiment of the trials."""
    return f"{spec.experiment}{SUFFIX}"


def trial_runs(spec: Spec, trial: Trial) -> list[PlannedRun]:
    """Return the runs of a trial, one per seed of the search."""
    changed = {f"trial{trial.number}": trial_settings(trial.values)}
    origin = Origin(
        trial_experiment(spec), spec.description, spec.text, path=spec.path, trial=str(trial.number)
    )
    return [
        PlannedRun(condition, seed, settings, origin)
        for condition, settings in condition_settings(_with_conditions(spec, changed)).items()
        for seed in search_of(spec).seeds
    ]


def baseline_spec(spec: Spec) -> Spec:
    """Return the same without its search: the settings that the best trial is compared with."""
    return _with_conditions(spec, {BASELINE: Settings()})


def runs_in_words(spec: Spec) -> str:
    """Return how many runs the search and the confirmation take at most, and where they are logged."""
    search = search_of(spec)
    num_trials, num_seeds, num_fresh = search.num_trials, len(search.seeds), len(spec.all_seeds)
    return (
        f"{format_count(num_trials * num_seeds, 'run')} at most in {trial_experiment(spec)}:"
        f" {format_count(num_trials, 'trial')} of {format_count(num_seeds, 'seed')}\n"
        f"{format_count(2 * num_fresh, 'run')} in {spec.experiment}:"
        f" {BASELINE} and {BEST} with {format_count(num_fresh, 'fresh seed')} each"
    )


def example_runs(spec: Spec) -> list[PlannedRun]:
    """Return runs as a trial has them, with the settings of the spec instead of values of the space."""
    return trial_runs(spec, Trial(0, TrialState.RUNNING))


def planned_runs(spec: Spec) -> list[PlannedRun]:
    """Return as many such runs as the trials have at most."""
    return example_runs(spec) * search_of(spec).num_trials


def confirmation_runs(spec: Spec, best: Trial) -> list[PlannedRun]:
    """Return the runs that compare a trial with the settings of the spec, on the spec's own seeds."""
    return plan_runs(_with_conditions(spec, {BASELINE: Settings(), BEST: trial_settings(best.values)}))


def _with_conditions(spec: Spec, conditions: Mapping[str, Settings]) -> Spec:
    return spec.model_copy(update={"conditions": conditions, "search": None})


def study_name(spec: Spec) -> str:
    """Return a name that is the same as long as trials can be compared: experiment, space and settings."""
    search = search_of(spec)
    settings = condition_settings(baseline_spec(spec))[BASELINE]
    content = {
        **search.model_dump(mode="json", exclude={"trials"}),
        "baseline": PlannedRun(BASELINE, 0, settings, Origin("")).spec_fingerprint,
    }
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return f"{spec.experiment}-{digest[:8]}"


def max_epochs(spec: Spec) -> int:
    """Return the most epochs that a run of any trial has."""
    for key, values in search_of(spec).space.items():
        if setting_location(key) == ("training", "epochs"):
            return max(int(str(one)) for one in ([values.high] if isinstance(values, Range) else values))
    return spec.training.epochs


def describe_start(trial: Trial, search: SearchSpec) -> str:
    """Return the line with which a trial starts or continues."""
    return f"Trial {trial.number} ({trial.number + 1} of {search.num_trials}): {in_words(trial.values)}"


def describe_state(trial: Trial, objective: str) -> str:
    """Return a trial with its objective, such as ``trial 3: validation accuracy 81.20%``."""
    value = "" if math.isnan(trial.objective) else f"{metric_info(objective).label} "
    value += "" if math.isnan(trial.objective) else format_value(objective, trial.objective)
    parts = [value] if trial.state is TrialState.COMPLETE else [trial.reason or trial.state.value, value]
    return f"{trial}: {', '.join(part for part in parts if part)}"


def in_words(values: Mapping[str, Any]) -> str:
    """Return values for people, such as ``learning_rate 0.00123, dense 0.25``."""
    labels = short_labels(list(values))
    return ", ".join(f"{labels[key]} {shown(value)}" for key, value in values.items())


def shown(value: Any) -> str:
    """Return a value for people."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value)
