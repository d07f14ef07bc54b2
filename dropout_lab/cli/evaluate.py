"""``dropout-lab evaluate``: what dropout does to confidence."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from dropout_lab.cli.comparison_options import PlotsFolder
from dropout_lab.cli.completion import complete_experiment_or_run
from dropout_lab.cli.console import (
    TextOrJson,
    print_json,
    progress,
    starting,
    stdout,
)
from dropout_lab.cli.experiment_names import experiment_of
from dropout_lab.cli.help import documented
from dropout_lab.cli.tables import print_table, print_text
from dropout_lab.cli.training import starting_library
from dropout_lab.evaluation.robustness import SET_NAMES, SHIFT_NAMES
from dropout_lab.reporting.tables import TextTable

if TYPE_CHECKING:
    from dropout_lab.api.evaluating import EvaluationResult
    from dropout_lab.records import RunRecord


@documented(
    "Measure what dropout does to confidence.",
    "Predicts the test set with Monte Carlo dropout, and measures calibration, selective prediction and "
    "temperature scaling. Logs the metrics to the runs themselves, for `compare`. Skips runs that were "
    "evaluated with equal settings.",
    examples=[
        "dropout-lab evaluate study",
        "dropout-lab evaluate study/dropout-seed0 --mc-samples 200",
        "dropout-lab evaluate study --shift all --ood digits --plots plots",
        "dropout-lab evaluate study --force --format json",
    ],
)
def evaluate(
    runs: Annotated[
        str | None,
        typer.Argument(
            metavar="RUN|EXPERIMENT",
            help="MLflow experiment, the spec that names it, run name, or run ID. "
            "[default: $MLFLOW_EXPERIMENT_NAME, or that of the latest run]",
            autocompletion=complete_experiment_or_run,
        ),
    ] = None,
    mc_samples: Annotated[
        int,
        typer.Option(metavar="N", min=2, max=10_000, help="Predictions of each example with dropout on."),
    ] = 50,
    shift: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help=f"Shift of the test images: all, {', '.join(SHIFT_NAMES)}. Repeatable."
        ),
    ] = None,
    ood: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help=f"Out-of-distribution inputs: all, {', '.join(SET_NAMES)}. Repeatable."
        ),
    ] = None,
    pooling: Annotated[
        bool, typer.Option("--pooling", help="Predict with probabilistic weighted pooling too.")
    ] = False,
    plots: PlotsFolder = None,
    force: Annotated[bool, typer.Option("--force", help="Evaluate runs again.")] = False,
    format_: Annotated[TextOrJson, typer.Option("--format", help="Output format.")] = TextOrJson.TEXT,
) -> None:
    """Evaluate the runs, then print the table of their conditions."""
    chosen = experiment_of(runs) if runs else None
    with starting("MLflow"):
        from dropout_lab.api.evaluating import evaluate_chosen, make_spec
        from dropout_lab.cli.sentences import remark

    result = evaluate_chosen(
        chosen,
        make_spec(mc_samples=mc_samples, shift=tuple(shift or ()), ood=tuple(ood or ()), pooling=pooling),
        force=force,
        note=remark,
        starting=starting_library,
        progress=_showing,
    )
    if result.report.skipped:
        from dropout_lab.evaluation.metrics import format_count

        remark(
            f"{format_count(len(result.report.skipped), 'run')} already evaluated; to repeat, use --force."
        )
    if format_ is TextOrJson.JSON:
        _print_json(result)
    else:
        _print_text(result)
    if plots is not None:
        from dropout_lab.plotting import save_plots

        paths = save_plots(result.plots(remark), plots)
        remark(f"{len(paths)} plot files written to {plots}")
    result.report.raise_problems()


@contextmanager
def _showing(runs: "Sequence[RunRecord]") -> "Iterator[Callable[[RunRecord], None]]":
    """Show which run is evaluated: in one line of a terminal, else in lines of their own."""
    console = progress()
    numbers = {run.run_id: number for number, run in enumerate(runs, start=1)}
    with console.status("") as status:

        def show(run: "RunRecord") -> None:
            text = f"Evaluating {console.clean(run.run_name)} ({numbers[run.run_id]} of {len(runs)}) ..."
            if console.is_terminal:
                status.update(text)
            else:
                print_text(console, text)

        yield show


def _print_json(result: "EvaluationResult") -> None:
    from dropout_lab.api.evaluating import row_values
    from dropout_lab.evaluation.metrics import metric_info
    from dropout_lab.evaluation.registry import Measured

    def evaluated(run: "RunRecord") -> dict[str, float]:
        return {
            name: value
            for name, value in run.metrics.items()
            if metric_info(name).measured is Measured.EVALUATED
        }

    print_json(
        {
            "conditions": [row_values(row) for row in result.rows],
            "runs": [
                {
                    "run_id": run.run_id,
                    "run_name": run.run_name,
                    "condition": run.condition,
                    "seed": run.seed,
                    "evaluated_now": run.run_id in result.report.evaluated,
                    "metrics": evaluated(run),
                }
                for run in result.runs
            ],
            "failures": [
                {"run_name": one.name, "message": one.message, "hint": one.hint} for one in result.failures
            ],
        }
    )


def _print_text(result: "EvaluationResult") -> None:
    from dropout_lab.cli.robustness_table import robustness_table
    from dropout_lab.evaluation.metrics import format_mean_sd, format_value

    headings = ("Condition", "Prediction", "Seeds", "Test accuracy", "Test loss", "Calibration error")
    short = ("Condition", "Prediction", "Seeds", "Accuracy", "Loss", "ECE")
    metrics = {"accuracy": "test_accuracy", "loss": "test_loss", "ece": "test_ece"}
    rows = tuple(
        (
            row.condition,
            row.method,
            str(row.num_seeds),
            *(format_mean_sd(metric, row.means[name], row.sds[name]) for name, metric in metrics.items()),
        )
        for row in result.rows
    )
    if rows:
        title = f"Confidence of {result.runs[0].experiment_name}"
        means = tuple(
            (
                *row[:3],
                *(format_value(metric, one.means[name]) for name, metric in metrics.items()),
            )
            for row, one in zip(rows, result.rows, strict=True)
        )
        print_table(
            stdout(),
            TextTable(title, headings, rows),
            TextTable(title, short, rows, ("Seeds",)),
            TextTable(title, short, means, ("Seeds",)),
        )
        table = robustness_table(result.runs)
        if table is not None:
            print_table(stdout(), table)
