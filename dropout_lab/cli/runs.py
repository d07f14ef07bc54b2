"""``dropout-lab runs``: list runs and their status."""

from typing import TYPE_CHECKING, Annotated

import typer

from dropout_lab.cli.console import TextOrJson, print_json, starting, stdout
from dropout_lab.cli.help import documented
from dropout_lab.cli.tables import print_table
from dropout_lab.reporting.tables import TextTable

if TYPE_CHECKING:
    from dropout_lab.records import RunRecord


@documented(
    "List runs and their status.",
    "Runs whose process died are shown as INTERRUPTED (MLflow shows RUNNING).",
    examples=[
        "dropout-lab runs",
        "dropout-lab runs study --format json",
    ],
)
def runs(
    experiment: Annotated[
        str | None,
        typer.Argument(metavar="EXPERIMENT", help="MLflow experiment. [default: the one used last]"),
    ] = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Mark interrupted runs as KILLED in MLflow.")
    ] = False,
    format_: Annotated[TextOrJson, typer.Option("--format", help="Output format.")] = TextOrJson.TEXT,
) -> None:
    """Read the runs of an experiment, repair them if requested, and list them."""
    with starting("MLflow"):
        from dropout_lab.records import RunStatus
        from dropout_lab.tracking import connect, read_runs

        found = read_runs(experiment)
        interrupted = [run for run in found if run.status is RunStatus.INTERRUPTED]
        if repair and interrupted:
            tracker = connect(found[0].experiment_name)
            for run in interrupted:
                tracker.end_run(run.run_id, RunStatus.KILLED)
            found = read_runs(found[0].experiment_name)
    if format_ is TextOrJson.JSON:
        print_json(
            [
                {
                    "run_id": run.run_id,
                    "run_name": run.run_name,
                    "experiment": run.experiment_name,
                    "condition": run.condition,
                    "seed": run.seed,
                    "status": run.status.value,
                    "start_time": run.start_time.isoformat(),
                    "test_accuracy": run.metrics.get("test_accuracy"),
                }
                for run in found
            ]
        )
        return
    print_table(
        stdout(),
        TextTable(
            f"Runs of {found[0].experiment_name}" if found else "No runs.",
            ("Run", "Status", "Test accuracy", "Started", "Run ID"),
            tuple(map(_row, found)),
            details=("Started",),
        ),
    )
    count = f"{len(interrupted)} interrupted {'run' if len(interrupted) == 1 else 'runs'}"
    if repair:
        print(f"Marked {count} as KILLED." if interrupted else "No interrupted runs.")
    elif interrupted:
        print(f"{count}. `dropout-lab resume` continues those of this folder.")


def _row(run: "RunRecord") -> tuple[str, ...]:
    accuracy = run.metrics.get("test_accuracy")
    return (
        run.run_name,
        run.status.value,
        "" if accuracy is None else f"{accuracy:.2%}",
        f"{run.start_time.astimezone():%Y-%m-%d %H:%M}",
        run.run_id,
    )
