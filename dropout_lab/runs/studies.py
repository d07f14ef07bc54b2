"""The summary of all runs of an experiment, logged to the study that they are nested under."""

import math
from collections.abc import Sequence

from dropout_lab.comparison.compare import compare_runs
from dropout_lab.comparison.question import Question
from dropout_lab.comparison.results import Comparison
from dropout_lab.design import Design
from dropout_lab.errors import TrackingError, UsageError
from dropout_lab.records import RunRecord
from dropout_lab.reporting.markdown import to_markdown
from dropout_lab.runs.planning import PlannedRun
from dropout_lab.tracking import Tracker, read_runs, schema

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


def summarize(tracker: Tracker, planned: Sequence[PlannedRun]) -> str | None:
    """Log means, differences and verdicts of the finished runs of an experiment to its study.

    They are those of ``dropout-lab compare``, since several specs may share an experiment. If it would refuse
    them, they are those of the spec alone.

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
        try:
            comparison = compare_runs(runs)
        except UsageError:
            comparison = compare_planned(runs, planned)
        tracker.summarize_study(_metrics(comparison), _tags(comparison), to_markdown(comparison))
    except UsageError:  # nothing to compare yet
        return None
    except TrackingError as error:
        return f"The summary of {tracker.experiment} could not be logged: {error.message}"
    return None


def _metrics(comparison: Comparison) -> dict[str, float]:
    found = {f"{one.metric}/{one.condition}": one.mean for one in comparison.summaries}
    for one in comparison.differences:
        if one.metric == comparison.primary:
            found |= {
                f"difference/{one.condition}": one.mean_difference,
                f"ci_low/{one.condition}": one.adjusted_ci_low,
                f"ci_high/{one.condition}": one.adjusted_ci_high,
            }
    return {name: value for name, value in found.items() if math.isfinite(value)}


def _tags(comparison: Comparison) -> dict[str, str]:
    return {
        f"{schema.VERDICT}{one.condition}": one.word.value for one in comparison.verdicts if one.is_primary
    }
