"""``dropout-lab plan``: how many seeds a comparison needs, how long they take, and the command for them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dropout_lab.cli.completion import complete_metric
from dropout_lab.cli.console import TextOrJson, print_json, starting, stdout
from dropout_lab.cli.help import documented
from dropout_lab.cli.metric_names import full_name
from dropout_lab.errors import UsageError

if TYPE_CHECKING:
    from dropout_lab.api.planning import PlanResult


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
    if plot is not None and plot.suffix not in (".png", ".svg"):
        raise UsageError(f"--plot: {plot} is neither a .png nor an .svg file")
    overrides = list(set_ or [])
    with starting("MLflow"):
        from dropout_lab.api.planning import plan as plan_spec
        from dropout_lab.cli.plan_output import commands, print_plan

        found = plan_spec(
            spec,
            seeds=seeds,
            overrides=overrides,
            metric=metric and full_name(metric),
            difference=difference,
            margin=margin,
            power=power,
            confidence=confidence,
            sd=sd,
        )
    if plot is not None:
        _write_plot(found, plot)
    run_commands = commands(found.plan, spec, overrides)
    if format_ is TextOrJson.JSON:
        print_json({**found.to_json(), "commands": run_commands})
    else:
        print_plan(stdout(), found, run_commands, spec)


def _write_plot(found: "PlanResult", path: Path) -> None:
    from dropout_lab.files import write_atomically
    from dropout_lab.plotting.style import render

    try:
        write_atomically(path, render(found.plot(), "svg" if path.suffix == ".svg" else "png"))
    except OSError as error:
        raise UsageError(f"--plot: cannot write {path}: {error.strerror}") from error
