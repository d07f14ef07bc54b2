"""``dropout-lab plan``: how many seeds a comparison needs, how long they take, and the command for them."""

import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dropout_lab.cli.completion import complete_metric
from dropout_lab.cli.console import TextOrJson, print_json, starting, stdout
from dropout_lab.cli.help import documented
from dropout_lab.cli.metric_names import full_name
from dropout_lab.errors import NoStoreError, UsageError

if TYPE_CHECKING:
    from dropout_lab.comparison.seed_plan import SeedPlan
    from dropout_lab.records import RunRecord


@documented(
    "Estimate how many seeds SPEC needs.",
    "Prints the number of seeds per condition for a fixed and a sequential design, what both do at several "
    "true differences, the training time, and the commands to start.",
    examples=[
        "dropout-lab plan experiments/study.yaml",
        "dropout-lab plan experiments/study.yaml --difference 0.003 --power 0.9",
        "dropout-lab plan experiments/study.yaml --seeds 5..30 --plot power.png",
    ],
)
def plan(
    spec: Annotated[Path, typer.Argument(help="The experiment's YAML file.", metavar="SPEC")],
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Override a field of the spec. Repeatable."),
    ] = None,
    seeds: Annotated[
        str | None,
        typer.Option(metavar="SEEDS", help="Design to assess: a count (5) or a sequential design (5..30)."),
    ] = None,
    difference: Annotated[
        float | None,
        typer.Option(
            metavar="FRACTION", help="True difference to find. [default: 2.5 times the equivalence margin]"
        ),
    ] = None,
    power: Annotated[
        float,
        typer.Option(
            metavar="PROBABILITY", min=0.05, max=0.9999, help="Probability of finding the difference."
        ),
    ] = 0.8,
    metric: Annotated[
        str | None,
        typer.Option(
            metavar="METRIC",
            help="Metric to plan for: a name, or acc, loss, gap, brier or ece. "
            "[default: the spec's primary metric]",
            autocompletion=complete_metric,
        ),
    ] = None,
    margin: Annotated[
        float | None,
        typer.Option(metavar="FRACTION", help="Equivalence margin. [default: that of the spec]"),
    ] = None,
    sd: Annotated[
        float | None,
        typer.Option(
            metavar="FRACTION",
            help="Standard deviation across seeds. [default: estimated from finished runs]",
        ),
    ] = None,
    confidence: Annotated[
        float,
        typer.Option(metavar="LEVEL", min=0.5, max=0.9999, help="Confidence level that `compare` will use."),
    ] = 0.95,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Plot power and expected seeds to this .png or .svg file."),
    ] = None,
    format_: Annotated[TextOrJson, typer.Option("--format", help="Output format.")] = TextOrJson.TEXT,
) -> None:
    """Plan the seeds of SPEC from its finished runs."""
    for option, value in (("--difference", difference), ("--margin", margin), ("--sd", sd)):
        if value is not None and not (math.isfinite(value) and value > 0):
            raise UsageError(f"{option}: {value} is not a fraction above 0, such as 0.005")
    if plot is not None and plot.suffix not in (".png", ".svg"):
        raise UsageError(f"--plot: {plot} is neither a .png nor an .svg file")
    from dropout_lab.runs.planning import plan_runs, spec_design
    from dropout_lab.spec import load_spec, seeds_override

    overrides = list(set_ or [])
    loaded = load_spec(spec, [*overrides, *([] if seeds is None else [seeds_override(seeds)])])
    design, conditions = spec_design(loaded), {run.condition: run for run in plan_runs(loaded)}
    metric = full_name(metric) if metric else design.primary
    with starting("MLflow"):
        from dropout_lab.cli.plan_output import commands, plan_table, print_plan
        from dropout_lab.comparison import seed_noise, seed_plan
        from dropout_lab.comparison.measured_seeds import measured_differences
        from dropout_lab.records import RunStatus
        from dropout_lab.statistics.sequential import SequentialDesign

        runs = [
            run
            for run in _tracked_runs(loaded.experiment or "")
            if run.status is RunStatus.FINISHED
            and run.condition in conditions
            and run.spec_fingerprint == conditions[run.condition].spec_fingerprint
        ]
    if sd is not None:
        noise = seed_noise.noise_of_runs(sd, "given")
    else:
        noise = seed_noise.measure_noise(runs, metric) or seed_noise.default_noise(metric)
    goal = seed_plan.seed_goal(
        metric,
        difference=difference,
        margin=design.margins.get(metric) if margin is None else margin,
        power=power,
        confidence=confidence,
        num_comparisons=max(1, len(conditions) - 1),
    )
    stated = (
        SequentialDesign(first=design.first, most=design.most, step=design.step) if design.first > 1 else None
    )
    found = seed_plan.plan_seeds(goal, noise, stated)
    measured = measured_differences(runs, goal)
    seconds = seed_noise.run_seconds(
        runs, {name: run.settings.training.epochs for name, run in conditions.items()}
    )
    done = {(run.condition, run.seed) for run in runs}
    if plot is not None:
        _write_plot(found, plot)
    if format_ is TextOrJson.JSON:
        print_json(
            {
                **asdict(found),
                "measured": [asdict(one) for one in measured],
                "num_conditions": len(conditions),
                "num_finished_runs": len(done),
                "run_seconds": seconds[0] if seconds else None,
                "device_name": seconds[1] if seconds else None,
                "commands": commands(found, spec, overrides),
            }
        )
        return
    console = stdout()
    print_plan(
        console, found, measured, list(conditions), done, seconds, commands(found, spec, overrides), spec
    )
    plan_table(found, console)


def _tracked_runs(experiment: str) -> "list[RunRecord]":
    """Return the experiment's runs; none if it, or the store, does not exist yet."""
    from dropout_lab.tracking import list_experiments, read_runs

    try:
        known = {one.name for one in list_experiments()}
    except NoStoreError:
        return []
    return read_runs(experiment) if experiment in known else []


def _write_plot(found: "SeedPlan", path: Path) -> None:
    from dropout_lab.cli.plan_output import design_label
    from dropout_lab.comparison.seed_plan import outcomes
    from dropout_lab.files import write_atomically
    from dropout_lab.plotting.power_curve import PowerCurve, draw_power_curves
    from dropout_lab.plotting.style import render
    from dropout_lab.statistics.sequential import SequentialDesign

    if not found.designs:
        raise UsageError("--plot: no design to plot", hint="Pass a larger --difference.")
    differences = [found.goal.difference * step / 8 for step in range(15)]
    curves = [
        PowerCurve(
            label=design_label(one),
            outcomes=outcomes(
                SequentialDesign(first=one.first, most=one.most, step=one.step),
                differences,
                found.goal,
                found.noise,
            ),
        )
        for one in found.designs
    ]
    figure = draw_power_curves(curves, found.goal.metric)
    try:
        write_atomically(path, render(figure, "svg" if path.suffix == ".svg" else "png"))
    except OSError as error:
        raise UsageError(f"--plot: cannot write {path}: {error.strerror}") from error
