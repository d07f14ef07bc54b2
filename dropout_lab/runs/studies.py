"""The summary of all runs of an experiment, logged to the study that they are nested under."""

import math
from collections.abc import Callable, Iterable, Sequence

from dropout_lab.comparison.compare import compare_runs
from dropout_lab.comparison.question import Question
from dropout_lab.comparison.results import Comparison
from dropout_lab.design import Design
from dropout_lab.errors import TrackingError, UsageError
from dropout_lab.records import RunRecord
from dropout_lab.reporting.markdown import to_markdown
from dropout_lab.runs.planning import PlannedRun
from dropout_lab.tracking import Tracker, connect, list_experiments, read_runs, schema

UNDER_STUDY = ("model", "training", "data", "device")
"""Whatever the conditions of one spec differ in is what it studies."""


def compare_planned(runs: Sequence[RunRecord], planned: Sequence[PlannedRun]) -> Comparison:
    """Return the comparison of the conditions of a spec.

    Args:
        runs: Runs of the experiment, any order or status; those of other specs are left out.
        planned: All runs of the spec.

    Raises:
        UsageError: If the runs cannot be compared.
    """
    specs = {run.condition: run.spec_fingerprint for run in planned}
    design = Design.from_json(planned[0].origin.design)
    own = [run for run in runs if specs.get(run.condition) == run.spec_fingerprint]
    return compare_runs(own, Question(primary=design.primary, varying=UNDER_STUDY, margins=design.margins))


def compare_as_shown(
    runs: Sequence[RunRecord], compare_part: Callable[[Sequence[RunRecord]], Comparison]
) -> Comparison:
    """Return the comparison of ``dropout-lab compare``, which several specs may share, or that of a part.

    Args:
        runs: Runs of the experiment, any order or status.
        compare_part: Compares a part of them, if all cannot be compared.

    Raises:
        UsageError: If the part cannot be compared either.
    """
    try:
        return compare_runs(runs)
    except UsageError:
        return compare_part(runs)


def summarize(tracker: Tracker, planned: Sequence[PlannedRun]) -> str | None:
    """Log means, differences and verdicts of the finished runs of an experiment to its study.

    They are those of `compare_as_shown`, with the spec alone as the part.

    Args:
        tracker: Tracker of the experiment.
        planned: All runs of the spec that was trained last.

    Returns:
        Why there is no summary, if the store refuses it.
    """
    if len(planned) < 2 or not planned[0].origin.design:
        return None
    try:
        runs = read_runs(tracker.experiment)
        _summarize(tracker, runs, lambda runs: compare_planned(runs, planned))
    except UsageError:  # the experiment was renamed meanwhile
        return None
    except TrackingError as error:
        return _not_logged(tracker.experiment, error)
    return None


def refresh(experiments: Iterable[str]) -> list[str]:
    """Log the summaries of experiments again, after their runs have changed.

    Args:
        experiments: Names; those that do not exist, have no study, or only trials of a search, are left out.

    Returns:
        Why a summary could not be logged.
    """
    problems = []
    for experiment in dict.fromkeys(experiments):
        try:
            if experiment not in {one.name for one in list_experiments()}:
                continue
            runs = read_runs(experiment)
            if not runs or any(run.design is not None for run in runs):
                _summarize(connect(experiment), runs, _compare_latest)
        except TrackingError as error:
            problems.append(_not_logged(experiment, error))
    return problems


def _not_logged(experiment: str, error: TrackingError) -> str:
    return f"The summary of {experiment} could not be logged: {error.message}"


def _summarize(
    tracker: Tracker,
    runs: Sequence[RunRecord],
    compare_part: Callable[[Sequence[RunRecord]], Comparison],
) -> None:
    """Log the comparison of an experiment, that of a part of its runs, or why there is none."""
    try:
        comparison = compare_as_shown(runs, compare_part)
    except UsageError as error:
        tracker.summarize_study({}, {}, f"No comparison. {error.message}", verdicts=())
    else:
        verdicts = [one.sentence for one in comparison.verdicts if one.is_primary]
        tracker.summarize_study(_metrics(comparison), _tags(comparison), to_markdown(comparison), verdicts)


def _compare_latest(runs: Sequence[RunRecord]) -> Comparison:
    """Return the comparison of the runs that have the design of the latest one, as those of its spec have."""
    design = max(runs, key=lambda run: run.requested or run.start_time).design if runs else None
    if design is None:
        return compare_runs(runs)
    own = [run for run in runs if run.design == design]
    return compare_runs(own, Question(primary=design.primary, varying=UNDER_STUDY, margins=design.margins))


def _metrics(comparison: Comparison) -> dict[str, float]:
    names = schema.allowed_names(comparison.conditions)
    found = {f"{one.metric}/{names[one.condition]}": one.mean for one in comparison.summaries}
    for one in comparison.differences:
        if one.metric == comparison.primary:
            found |= {
                f"difference/{names[one.condition]}": one.mean_difference,
                f"ci_low/{names[one.condition]}": one.adjusted_ci_low,
                f"ci_high/{names[one.condition]}": one.adjusted_ci_high,
            }
    return {name: value for name, value in found.items() if math.isfinite(value)}


def _tags(comparison: Comparison) -> dict[str, str]:
    names = schema.allowed_names(comparison.conditions)
    return {
        f"{schema.VERDICT}{names[one.condition]}": one.word.value
        for one in comparison.verdicts
        if one.is_primary
    }
