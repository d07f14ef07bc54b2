"""``dropout-lab run``: train the runs of a spec, tracked in MLflow."""

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dropout_lab.cli.console import TextOrJson, progress, starting, starting_tensorflow
from dropout_lab.cli.help import documented

if TYPE_CHECKING:
    from dropout_lab.runs.planning import PlannedRun


@documented(
    "Train all conditions of SPEC with all seeds.",
    "Each is one MLflow run. Skips finished runs and resumes interrupted ones. Several specs are trained one "
    "after the other, with the same options.",
    examples=[
        "dropout-lab run experiments/baseline.yaml",
        "dropout-lab run experiments/baseline.yaml experiments/dropout.yaml",
        "dropout-lab run experiments/dropout.yaml --seeds 0,1,2 --set training.epochs=3",
        "dropout-lab run experiments/smoke.yaml --dry-run",
    ],
)
def run(
    specs: Annotated[list[Path], typer.Argument(help="Spec files (YAML).", metavar="SPEC")],
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Override a spec field, such as training.epochs=3. Repeatable."
        ),
    ] = None,
    seeds: Annotated[
        str | None,
        typer.Option(
            help="Seeds per condition: a count (5), a list (0,1,2) or a sequential design (5..30).",
            metavar="SEEDS",
        ),
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="Device: auto, cpu, gpu or gpu:N.", metavar="DEVICE")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the resolved spec, runs and model, then exit.")
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Retrain runs even if they are finished or interrupted.")
    ] = False,
    workers: Annotated[
        str | None,
        typer.Option(
            help="Processes that train at once: a number or auto. [default: this process alone]",
            metavar="N",
        ),
    ] = None,
    fail_fast: Annotated[bool, typer.Option("--fail-fast", help="Stop after the first failed run.")] = False,
    format_: Annotated[TextOrJson, typer.Option("--format", help="Output format.")] = TextOrJson.TEXT,
) -> None:
    """Load all specs with their overrides, then show or train their runs."""
    from dropout_lab.spec import load_spec, seeds_override

    overrides = list(set_ or [])
    if seeds is not None:
        overrides.append(seeds_override(seeds))
    if device is not None:
        overrides.append(f"device={device}")
    loaded = [load_spec(path, overrides) for path in dict.fromkeys(specs)]
    if dry_run:
        from dropout_lab.cli.dry_run import print_plan

        for spec in loaded:
            print_plan(spec)
    else:
        from dropout_lab.runs.planning import plan_runs

        train_designs(
            [plan_runs(spec) for spec in loaded],
            fresh=fresh,
            fail_fast=fail_fast,
            workers=workers or "",
            format_=format_,
        )


def train_designs(
    designs: "Sequence[Sequence[PlannedRun]]",
    *,
    fresh: bool = False,
    fail_fast: bool = False,
    workers: str = "",
    format_: TextOrJson,
) -> None:
    """Train the runs of specs, in this process or in workers, show progress, and print the results.

    Args:
        designs: All planned runs of each spec.
        fresh: Retrain runs even if they are finished or interrupted.
        fail_fast: Stop after the first failed run.
        workers: Processes that train at once, a number or ``auto``; empty for this one alone.
        format_: Format of the results.

    Raises:
        DropoutLabError: If some have no result, after the others were tried.
    """
    # In this order, so that cheap checks fail before TensorFlow has started.
    from dropout_lab.data.selection import load_all
    from dropout_lab.runs.outcome import Report
    from dropout_lab.runs.worker_plan import plan_workers

    runs = [run for design in designs for run in design]
    plan = plan_workers(workers, runs) if workers else None
    datasets = load_all(run.settings.data for run in runs)
    has_database = "MLFLOW_TRACKING_URI" in os.environ or Path("mlflow.db").exists()
    with starting("MLflow" if has_database else "MLflow and creating mlflow.db (first run only)"):
        from dropout_lab.cli.run_display import print_outcomes
        from dropout_lab.runs.display import RunDisplay
        from dropout_lab.runs.stopping import listen_for_stop
        from dropout_lab.tracking import connect

        trackers = {name: connect(name) for name in {run.origin.experiment for run in runs}}
    from dropout_lab.runs.planning import needs_building

    if any(needs_building(run, datasets[run.settings.data]) for run in runs):
        with starting_tensorflow():
            from dropout_lab.runs.networks import resolve_networks
        designs = [resolve_networks(design, datasets) for design in designs]
    execute: Callable[..., Report]
    if plan is not None:
        from dropout_lab.runs.workers import execute_design_in_workers

        execute = partial(execute_design_in_workers, plan=plan)
    else:
        with starting_tensorflow():
            from dropout_lab.runs.executor import execute_design
            from dropout_lab.training.devices import resolve_device

            resolve_device("auto")  # TensorFlow logs to the terminal when it first looks for devices
        execute = partial(execute_design, datasets=datasets)
    at_once = plan is not None and plan.count > 1
    with listen_for_stop() as stop, RunDisplay(len(runs), progress(), at_once=at_once) as display:
        report = Report()
        for design in designs:
            if report.ended_early:
                report.not_started += [run.name for run in design]
            else:
                report.add(
                    execute(design, display, stop, fresh=fresh, fail_fast=fail_fast, trackers=trackers)
                )
    print_outcomes(report.outcomes, as_json=format_ is TextOrJson.JSON)
    report.raise_problems()
