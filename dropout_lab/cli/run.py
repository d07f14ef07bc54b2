"""``dropout-lab run``: train what a spec asks for, tracked in MLflow."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dropout_lab.cli.console import TextOrJson, starting, starting_tensorflow
from dropout_lab.cli.help import documented

if TYPE_CHECKING:
    from dropout_lab.execution.planning import PlannedRun
    from dropout_lab.spec import Spec


@documented(
    "Train every condition of SPEC with every seed.",
    "Each is one MLflow run. Skips finished runs and resumes interrupted ones.",
    examples=[
        "dropout-lab run experiments/baseline.yaml",
        "dropout-lab run experiments/dropout.yaml --seeds 0,1,2 --set training.epochs=3",
        "dropout-lab run experiments/smoke.yaml --dry-run",
    ],
)
def run(
    spec: Annotated[Path, typer.Argument(help="The experiment's YAML file.", metavar="SPEC")],
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Override a field of the spec, such as training.epochs=3."
        ),
    ] = None,
    seeds: Annotated[
        str | None,
        typer.Option(
            help="Seeds per condition: a count (5), a list (0,1,2) or a sequential design (5..30).",
            metavar="SEEDS",
        ),
    ] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, gpu or gpu:N.", metavar="DEVICE")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the resolved spec, its runs and the model; train nothing.")
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Train anew what is finished or was stopped.")
    ] = False,
    format_: Annotated[
        TextOrJson, typer.Option("--format", help="How to print the results.")
    ] = TextOrJson.TEXT,
) -> None:
    """Load SPEC with its overrides, then show or train its runs."""
    from dropout_lab.spec import load_spec, seeds_override

    overrides = list(set_ or [])
    if seeds is not None:
        overrides.append(seeds_override(seeds))
    if device is not None:
        overrides.append(f"device={device}")
    loaded = load_spec(spec, overrides)
    if dry_run:
        _show_plan(loaded)
    else:
        from dropout_lab.execution.planning import plan_runs

        train_runs(plan_runs(loaded), fresh=fresh, format_=format_)


def _show_plan(spec: "Spec") -> None:
    import yaml

    with starting_tensorflow():
        from dropout_lab.execution.planning import plan_runs
        from dropout_lab.learning.session import model_summary
    resolved = spec.model_dump(mode="json")
    print(yaml.safe_dump(resolved, sort_keys=False, allow_unicode=True))
    runs = plan_runs(spec)
    print(f"{len(runs)} {'run' if len(runs) == 1 else 'runs'}:")
    for planned in runs:
        rates = ", ".join(f"{site} {rate:g}" for site, rate in planned.settings.model.dropout)
        print(f"  {planned.name}: {planned.settings.training.epochs} epochs, dropout {rates}")
    models = {planned.settings.model: planned.condition for planned in reversed(runs)}
    for model, condition in reversed(models.items()):
        print(f"\nModel of {condition}:")
        print(model_summary(model))


def train_runs(runs: "Sequence[PlannedRun]", *, fresh: bool = False, format_: TextOrJson) -> None:
    """Execute `runs` one after the other, show how it goes, and print the results.

    Raises:
        DropoutLabError: If some did not finish, after the others did.
    """
    # In this order, so that what costs nothing to check is told before TensorFlow has started.
    from dropout_lab.learning.data import load_data

    datasets = {data: load_data(data) for data in {run.settings.data for run in runs}}
    with starting("MLflow"):
        from dropout_lab.tracking import connect

        trackers = {name: connect(name) for name in {run.origin.experiment for run in runs}}
    with starting_tensorflow():
        from dropout_lab.cli.run_display import RunDisplay, print_outcomes
        from dropout_lab.errors import DropoutLabError, TrainingError
        from dropout_lab.execution.run_folder import RunLockedError
        from dropout_lab.execution.runner import Runner
        from dropout_lab.execution.stopping import listen_for_stop
        from dropout_lab.learning.devices import resolve_device

        devices = {run: resolve_device(run.settings.device, run.settings.training.precision) for run in runs}
    outcomes = []
    failures = []
    with listen_for_stop() as stop, RunDisplay(len(runs)) as display:
        for run in runs:
            runner = Runner(trackers[run.origin.experiment], display, stop)
            try:
                outcome = runner.execute(run, datasets[run.settings.data], devices[run], fresh=fresh)
            except (TrainingError, RunLockedError) as error:
                failures.append(f"{run.name}: {error.message}")
                display.noted(f"{run.name}: {error}")
            else:
                outcomes.append(outcome)
                display.finished(outcome)
    print_outcomes(outcomes, trackers, as_json=format_ is TextOrJson.JSON)
    if failures:
        raise DropoutLabError(
            f"{len(failures)} of {len(runs)} runs did not finish:\n" + "\n".join(failures),
            hint="What was done is kept; the same command goes on with the rest.",
        )
    if not all(outcome.delivered for outcome in outcomes):
        raise DropoutLabError(
            "Some results have not reached the tracking store yet.", hint="`dropout-lab sync` delivers them."
        )
