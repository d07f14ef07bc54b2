"""``dropout-lab runs``: list runs and their status."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from dropout_lab.cli.completion import complete_experiment
from dropout_lab.cli.console import TextOrJson, is_quiet, is_verbose, print_json, starting, stdout
from dropout_lab.cli.experiment_names import experiment_of
from dropout_lab.cli.help import documented
from dropout_lab.cli.tables import print_table, print_text
from dropout_lab.errors import UsageError
from dropout_lab.evaluation.metrics import format_count, format_duration
from dropout_lab.reporting.tables import TextTable

if TYPE_CHECKING:
    from dropout_lab.cli.safe_console import SafeConsole
    from dropout_lab.records import RunRecord

EPOCHS_OF = "val_loss"
"""The per-epoch metric whose number of values is the number of finished epochs."""


@documented(
    "List runs and their status.",
    "Runs whose process died are shown as INTERRUPTED (MLflow shows RUNNING).",
    examples=[
        "dropout-lab runs",
        "dropout-lab runs study smoke --format json",
        "dropout-lab runs --all",
        "dropout-lab runs study --watch",
    ],
)
def runs(
    experiments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="EXPERIMENT",
            help="MLflow experiments, or the specs that name them. [default: the one used last]",
            autocompletion=complete_experiment,
        ),
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="List the experiments instead.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Refresh every 2 seconds until Ctrl-C.")] = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="Mark interrupted runs as KILLED in MLflow.")
    ] = False,
    format_: Annotated[TextOrJson, typer.Option("--format", help="Output format.")] = TextOrJson.TEXT,
) -> None:
    """Read the runs of experiments, repair them if requested, and list them."""
    if watch and (all_ or repair or format_ is TextOrJson.JSON or not stdout().is_terminal):
        raise UsageError("--watch: needs a terminal, and takes no --all, --repair or --format json")
    with starting("MLflow"):
        from dropout_lab.cli.experiment_list import list_with_runs, print_experiments
        from dropout_lab.cli.runs_watch import watch_runs
        from dropout_lab.records import RunStatus
        from dropout_lab.tracking import connect

        if all_ and experiments:
            raise UsageError("--all: lists all experiments, so name none")
        listed = list_with_runs() if all_ else {}
        found = [] if all_ else _read(experiments)
    if all_:
        print_experiments(listed, format_)
        return
    console = stdout()
    if watch:
        found = watch_runs(found, lambda: _read(experiments), _print_runs)
    interrupted = [run for run in found if run.status is RunStatus.INTERRUPTED]
    if repair and interrupted:
        for run in interrupted:
            connect(run.experiment_name).end_run(run.run_id, RunStatus.KILLED)
        found = _read(experiments)
    if format_ is TextOrJson.JSON:
        print_json(list(map(_as_json, found)))
        return
    _print_runs(console, found)
    count = format_count(len(interrupted), "interrupted run")
    if repair:
        print_text(console, f"Marked {count} as KILLED." if interrupted else "No interrupted runs.")
    elif interrupted and not is_quiet():
        print_text(console, f"{count}. `dropout-lab resume` continues those of this folder.")


def _read(experiments: Sequence[str] | None) -> "list[RunRecord]":
    from dropout_lab.tracking import read_runs

    names: Sequence[str | None] = [*map(experiment_of, experiments or [])] or [None]
    return [run for name in names for run in _sorted(read_runs(name, histories=[EPOCHS_OF]))]


def _sorted(found: "Sequence[RunRecord]") -> "list[RunRecord]":
    """Return runs by condition, in the order in which these were first trained, then by seed."""
    order = {name: index for index, name in enumerate(dict.fromkeys(run.condition for run in found))}
    return sorted(found, key=lambda run: (order[run.condition], run.seed, run.start_time))


def _as_json(run: "RunRecord") -> dict[str, object]:
    from dropout_lab.api.frames import identity_of

    return {
        **identity_of(run),
        "start_time": run.start_time.isoformat(),
        "end_time": run.end_time.isoformat() if run.end_time else None,
        "num_epochs": len(run.history.get(EPOCHS_OF, ())),
        "val_accuracy": run.metrics.get("val_accuracy"),
        "test_accuracy": run.metrics.get("test_accuracy"),
    }


def _print_runs(console: "SafeConsole", found: "Sequence[RunRecord]") -> None:
    from dropout_lab.runs.workspace import workspaces

    resumable = {state.run_id for workspace in workspaces() if (state := workspace.read())}
    for experiment in dict.fromkeys(run.experiment_name for run in found):
        rows = [_row(run, resumable) for run in found if run.experiment_name == experiment]
        headings = (
            "Run",
            "Status",
            "Epochs",
            "Val accuracy",
            "Test accuracy",
            "Duration",
            "Started",
            "Run ID",
        )
        short = ("Run", "Status", "Epochs", "Val", "Test", "Time", "Started", "Run ID")
        table = TextTable(f"Runs of {experiment}", headings, tuple(rows))
        narrow = TextTable("", short, tuple(rows), details=("Started",))
        print_table(console, table, narrow, narrow.without("Started", "Val", "Time"))
    if not found:
        print_text(console, "No runs.")


def _row(run: "RunRecord", resumable: set[str]) -> tuple[str, ...]:
    from dropout_lab.evaluation.metrics import format_value

    def shown(metric: str) -> str:
        return format_value(metric, run.metrics[metric]) if metric in run.metrics else ""

    epochs = run.spec.get("training.epochs", "")
    num_done = len(run.history.get(EPOCHS_OF, ()))
    can_continue = run.run_id in resumable and run.status.value in ("KILLED", "INTERRUPTED")
    ended_at = datetime.now(UTC) if run.status.value == "RUNNING" else run.end_time
    return (
        run.run_name,
        run.status.value + (", resumable" if can_continue else ", pruned" if run.pruned else ""),
        f"{num_done}/{epochs}" if epochs else str(num_done),
        shown("val_accuracy"),
        shown("test_accuracy"),
        format_duration((ended_at - run.start_time).total_seconds()) if ended_at else "",
        f"{run.start_time.astimezone():%Y-%m-%d %H:%M}",
        run.run_id if is_verbose() else run.run_id[:8],
    )
