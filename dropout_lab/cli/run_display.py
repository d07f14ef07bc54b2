"""Results of `dropout-lab run` on stdout; `runs.display` shows the progress before."""

import shlex
from collections.abc import Sequence

from dropout_lab.cli.console import is_quiet, print_json, stdout
from dropout_lab.cli.metric_names import short_label
from dropout_lab.cli.tables import print_facts, print_table, print_text
from dropout_lab.evaluation.metrics import format_value, metric_info
from dropout_lab.reporting.tables import TextTable
from dropout_lab.runs.outcome import RunOutcome

SHOWN_METRICS = (
    "test_accuracy",
    "test_loss",
    "generalization_gap",
    "test_brier",
    "test_ece",
    "train_accuracy",
    "train_seconds",
)
TABLE_METRICS = ("test_accuracy", "test_loss", "generalization_gap", "train_seconds")


def print_outcomes(outcomes: Sequence[RunOutcome], *, as_json: bool) -> None:
    """Print the results on stdout, and how to look at them.

    Args:
        outcomes: Finished runs.
        as_json: For scripts, instead of panels.
    """
    if as_json:
        print_json([as_json_value(outcome) for outcome in outcomes])
        return
    if not outcomes:
        return
    console = stdout()
    if console.is_terminal and len(outcomes) > 1:
        short = _table(outcomes, short=True)
        print_table(console, _table(outcomes, short=False), short, short.without("time"))
    for outcome in outcomes:
        facts = {metric_info(name).label: _shown(name, outcome) for name in SHOWN_METRICS}
        facts["run ID"] = outcome.run_id
        if not console.is_terminal:
            shown = ", ".join(f"{label} {value}" for label, value in facts.items())
            print_text(console, f"{outcome.run.name}: {shown}")
        elif len(outcomes) == 1:
            print_text(console, outcome.run.name, style="bold")
            print_facts(console, facts, indent=2)
    if is_quiet():
        return
    print_text(console, "View: dropout-lab ui")
    conditions: dict[str, set[str]] = {}
    for outcome in outcomes:
        conditions.setdefault(outcome.run.origin.experiment, set()).add(outcome.run.condition)
    for experiment, names in conditions.items():
        if len(names) > 1:
            print_text(console, f"Compare: dropout-lab compare {shlex.quote(experiment)}")


def as_json_value(outcome: RunOutcome) -> dict[str, object]:
    """Return a finished run in a form that JSON keeps."""
    return {
        "run_id": outcome.run_id,
        "run_name": outcome.run.name,
        "condition": outcome.run.condition,
        "seed": outcome.run.seed,
        "experiment": outcome.run.origin.experiment,
        "was_finished": outcome.was_finished,
        "delivered": outcome.delivered,
        "metrics": outcome.metrics,
        "address": outcome.address,
    }


def _table(outcomes: Sequence[RunOutcome], *, short: bool) -> TextTable:
    labels = [short_label(name) if short else metric_info(name).label for name in TABLE_METRICS]
    rows = (
        (outcome.run.name, *(_shown(name, outcome) for name in TABLE_METRICS), outcome.run_id[:8])
        for outcome in outcomes
    )
    return TextTable("", ("Run", *labels, "Run ID"), tuple(rows))


def _shown(name: str, outcome: RunOutcome) -> str:
    value = outcome.metrics.get(name)
    return "-" if value is None else format_value(name, value)
