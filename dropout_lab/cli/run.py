"""``dropout-lab run``: train the runs of a spec, tracked in MLflow."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dropout_lab.cli.console import TextOrJson, progress
from dropout_lab.cli.help import documented
from dropout_lab.cli.training import AddressOption, ExecutorOption, WorkersOption, starting_library
from dropout_lab.errors import UsageError

if TYPE_CHECKING:
    from dropout_lab.runs.executors import Workers
    from dropout_lab.spec import Spec


@documented(
    "Train all conditions of SPEC with all seeds.",
    "Each is one MLflow run. Skips finished runs and resumes interrupted ones. Several specs are trained one "
    "after the other, with the same options. A spec with `search` trains trials first, then compares the "
    "best one with the baseline.",
    examples=[
        "dropout-lab run experiments/baseline.yaml",
        "dropout-lab run experiments/baseline.yaml experiments/dropout.yaml",
        "dropout-lab run experiments/dropout.yaml --seeds 0,1,2 --set training.epochs=3",
        "dropout-lab run experiments/smoke.yaml --dry-run",
        "dropout-lab run experiments/search.yaml",
        "dropout-lab run experiments/dropout.yaml --executor ray --address head:6379",
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
        str | None, typer.Option(help="Device: auto, cpu, gpu, gpu:N or gpus.", metavar="DEVICE")
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Print the resolved spec, runs, expected time and model."),
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Retrain runs even if they are finished or interrupted.")
    ] = False,
    workers: WorkersOption = None,
    executor: ExecutorOption = "local",
    address: AddressOption = None,
    fail_fast: Annotated[bool, typer.Option("--fail-fast", help="Stop after the first failed run.")] = False,
    format_: Annotated[TextOrJson, typer.Option("--format", help="Output format.")] = TextOrJson.TEXT,
) -> None:
    """Load all specs with their overrides, then show or train their runs."""
    from dropout_lab.runs.executors import chosen_workers
    from dropout_lab.spec import load_spec, seeds_override

    overrides = list(set_ or [])
    if seeds is not None:
        overrides.append(seeds_override(seeds))
    if device is not None:
        overrides.append(f"device={device}")
    loaded = [load_spec(path, overrides) for path in dict.fromkeys(specs)]
    if dry_run:
        if executor != "local" or address is not None:
            raise UsageError("--dry-run: looks ahead on this machine (leave out --executor and --address)")
        from dropout_lab.cli.dry_run import find_plans, print_plans

        print_plans(find_plans(loaded, workers, fresh=fresh), as_json=format_ is TextOrJson.JSON)
        return
    if any(spec.search for spec in loaded):
        if len(loaded) > 1:
            raise UsageError("SPEC: a spec with a search is run alone (allowed: one spec)")
        from dropout_lab.runs.search.trials import planned_runs

        with chosen_workers(executor, workers, address, planned_runs(loaded[0]), starting_library) as plan:
            _search(loaded[0], plan, fresh=fresh, fail_fast=fail_fast, as_json=format_ is TextOrJson.JSON)
        return
    from dropout_lab.runs.designs import train_designs
    from dropout_lab.runs.display import RunDisplay
    from dropout_lab.runs.planning import plan_runs

    designs = [plan_runs(spec) for spec in loaded]
    runs = [planned for design in designs for planned in design]
    with chosen_workers(executor, workers, address, runs, starting_library) as plan:
        at_once = plan is not None and plan.count > 1
        _, report = train_designs(
            designs,
            RunDisplay(len(runs), progress(), at_once=at_once),
            starting_library,
            plan=plan,
            fresh=fresh,
            fail_fast=fail_fast,
        )
    from dropout_lab.cli.run_display import print_outcomes

    print_outcomes(report.outcomes, as_json=format_ is TextOrJson.JSON)
    report.raise_problems(fresh=fresh)


def _search(spec: "Spec", plan: "Workers | None", *, fresh: bool, fail_fast: bool, as_json: bool) -> None:
    """Train the trials of `spec`, and confirm the best one."""
    from dropout_lab.runs.display import RunDisplay
    from dropout_lab.runs.search.search import run_search

    at_once = plan is not None and plan.count > 1
    outcome = run_search(
        spec,
        lambda num_runs: RunDisplay(num_runs, progress(), at_once=at_once),
        starting_library,
        plan=plan,
        fresh=fresh,
        fail_fast=fail_fast,
    )
    from dropout_lab.cli.search_output import print_search

    print_search(outcome, as_json=as_json)
    outcome.raise_problems(fresh=fresh)
