"""Results of `dropout-lab run` on stdout; `runs.display` shows the progress before."""

import shlex
from collections.abc import Mapping, Sequence

from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from dropout_lab.cli.console import print_json, stdout
from dropout_lab.cli.tables import print_table
from dropout_lab.evaluation.metrics import format_value
from dropout_lab.reporting.tables import TextTable
from dropout_lab.runs.outcome import RunOutcome

SHOWN_METRICS = {
    "test_accuracy": "test accuracy",
    "test_loss": "test loss",
    "generalization_gap": "generalization gap",
    "test_brier": "test Brier score",
    "test_ece": "test calibration error (15 equal bins)",
    "train_accuracy": "training accuracy, dropout off",
    "train_seconds": "training time",
}


def print_outcomes(outcomes: Sequence[RunOutcome], *, as_json: bool) -> None:
    """Print the results on stdout, and how to look at them.

    Args:
        outcomes: Finished runs.
        as_json: For scripts, instead of panels.
    """
    if as_json:
        print_json([_as_json(outcome) for outcome in outcomes])
        return
    if not outcomes:
        return
    console = stdout()
    for outcome in outcomes:
        lines = {label: _shown(name, outcome.metrics.get(name)) for name, label in SHOWN_METRICS.items()}
        lines["run id"] = outcome.run_id
        if not console.is_terminal:
            print(f"{outcome.run.name}: {', '.join(f'{label} {value}' for label, value in lines.items())}")
        elif len(outcomes) == 1:
            console.print(_panel(outcome.run.name, lines))
    if console.is_terminal and len(outcomes) > 1:
        print_table(console, _table(outcomes))
    print("View: dropout-lab ui")
    conditions: dict[str, set[str]] = {}
    for outcome in outcomes:
        conditions.setdefault(outcome.run.origin.experiment, set()).add(outcome.run.condition)
    for experiment, names in conditions.items():
        if len(names) > 1:
            print(f"Compare: dropout-lab compare {shlex.quote(experiment)}")


def _as_json(outcome: RunOutcome) -> dict[str, object]:
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


def _panel(name: str, lines: Mapping[str, str]) -> Panel:
    grid = Table.grid(padding=(0, 2))
    for label, value in lines.items():
        grid.add_row(label, value)
    return Panel(grid, title=Text(name), title_align="left", expand=False)


def _table(outcomes: Sequence[RunOutcome]) -> TextTable:
    shown = ("test_accuracy", "test_loss", "generalization_gap", "train_seconds")
    labels = [SHOWN_METRICS[name] for name in shown]
    rows = (
        (outcome.run.name, *(_shown(name, outcome.metrics.get(name)) for name in shown), outcome.run_id)
        for outcome in outcomes
    )
    return TextTable("", ("run", *labels, "run id"), tuple(rows), details=("run id",))


def _shown(name: str, value: float | None) -> str:
    return "-" if value is None else format_value(name, value)
