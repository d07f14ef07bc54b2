"""``dropout-lab plan``: how many seeds a comparison needs, how long they take, and the command for them."""

import math
import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dropout_lab.cli.console import TextOrJson, print_json, printable, starting
from dropout_lab.cli.help import documented
from dropout_lab.errors import TrackingError, UsageError

if TYPE_CHECKING:
    from dropout_lab.comparison.seed_plan import SeedPlan
    from dropout_lab.records import RunRecord


@documented(
    "Estimate how many seeds SPEC needs.",
    "Prints the number of seeds per condition, the training time, and the command to start.",
    examples=[
        "dropout-lab plan experiments/study.yaml",
        "dropout-lab plan experiments/study.yaml --difference 0.003 --power 0.9",
    ],
)
def plan(
    spec: Annotated[Path, typer.Argument(help="The experiment's YAML file.", metavar="SPEC")],
    difference: Annotated[
        float | None,
        typer.Option(
            metavar="FRACTION",
            help="The true difference to find; by default 0.005 for accuracies, else 2.5 times the margin.",
        ),
    ] = None,
    power: Annotated[float, typer.Option(min=0.05, max=0.9999, help="Probability of finding it.")] = 0.8,
    metric: Annotated[str, typer.Option(help="The metric to judge.")] = "test_accuracy",
    margin: Annotated[
        float | None,
        typer.Option(metavar="FRACTION", help="Largest difference to be called equivalent."),
    ] = None,
    sd: Annotated[
        float | None,
        typer.Option(
            metavar="FRACTION",
            help="The metric's standard deviation over seeds; by default that of SPEC's finished runs.",
        ),
    ] = None,
    confidence: Annotated[
        float, typer.Option(min=0.5, max=0.9999, help="As compare is to judge with.")
    ] = 0.95,
    format_: Annotated[TextOrJson, typer.Option("--format", help="How to print the plan.")] = TextOrJson.TEXT,
) -> None:
    """Plan the seeds of SPEC from its finished runs."""
    for option, value in (("--difference", difference), ("--margin", margin), ("--sd", sd)):
        if value is not None and not (math.isfinite(value) and value > 0):
            raise UsageError(f"[{option}] expected a fraction above 0 such as 0.005, received {value}")
    from dropout_lab.execution.planning import plan_runs
    from dropout_lab.spec import load_spec
    from dropout_lab.spec.models import MAX_SEEDS

    planned = plan_runs(load_spec(spec))
    conditions = {run.condition: run for run in planned}
    with starting("MLflow"):
        from dropout_lab.comparison.seed_plan import (
            default_noise,
            measure_noise,
            noise_of_runs,
            plan_seeds,
            run_seconds,
        )
        from dropout_lab.records import RunStatus

        runs = [
            run
            for run in _tracked_runs(planned[0].origin.experiment)
            if run.status is RunStatus.FINISHED
            and run.condition in conditions
            and run.spec_fingerprint == conditions[run.condition].spec_fingerprint
        ]
    if sd is not None:
        noise = noise_of_runs(sd, "as given")
    else:
        noise = measure_noise(runs, metric) or default_noise(metric)
    found = plan_seeds(
        metric,
        noise,
        difference=difference,
        margin=margin,
        power=power,
        confidence=confidence,
        num_comparisons=max(1, len(conditions) - 1),
    )
    seconds = run_seconds(runs, {name: run.settings.training.epochs for name, run in conditions.items()})
    num_done = len(
        {(run.condition, run.seed) for run in runs if found.num_seeds and run.seed < found.num_seeds}
    )
    num_missing = None if found.num_seeds is None else found.num_seeds * len(conditions) - num_done
    command = None
    if found.num_seeds is not None and found.num_seeds <= MAX_SEEDS:
        command = shlex.join(["dropout-lab", "run", str(spec), "--seeds", str(found.num_seeds)])
    if format_ is TextOrJson.JSON:
        print_json(
            {
                **asdict(found),
                "num_conditions": len(conditions),
                "num_finished_runs": num_done,
                "num_missing_runs": num_missing,
                "run_seconds": seconds[0] if seconds else None,
                "device_name": seconds[1] if seconds else None,
                "command": command,
            }
        )
        return
    for line in (*_promise(found), *_cost(num_done, num_missing, seconds, spec)):
        print(printable(line))
    if command:
        print(f"Command: {printable(command)}")
    else:
        print(f"No command: a spec takes at most {MAX_SEEDS} seeds. Look for a larger --difference.")


def _tracked_runs(experiment: str) -> "list[RunRecord]":
    """Return the experiment's runs; none where it, or the store, is not there yet."""
    from dropout_lab.tracking import list_experiments, read_runs

    try:
        known = {one.name for one in list_experiments()}
    except TrackingError:
        return []
    return read_runs(experiment) if experiment in known else []


def _promise(plan: "SeedPlan") -> list[str]:
    from dropout_lab.evaluation.metrics import format_difference, metric_info

    label = metric_info(plan.metric).label
    difference = format_difference(plan.metric, plan.difference, sign=False)
    noise = format_difference(plan.metric, plan.noise.sd_difference, sign=False)
    conditions = "" if plan.num_comparisons == 1 else f", {plan.num_comparisons} conditions against one"
    lines = [f"Noise: the difference of two runs in {label} varies by {noise} ({plan.noise.source})."]
    if plan.num_seeds is None:
        lines.append(f"To find a difference of {difference}: more than 10,000 seeds a condition.")
    else:
        lines.append(
            f"To find a difference of {difference}: {plan.num_seeds} seeds a condition "
            f"(power {plan.promised_power:.2f}, confidence {plan.confidence:g}{conditions})."
        )
    if plan.margin is not None:
        margin = format_difference(plan.metric, plan.margin, sign=False)
        number = "more than 10,000" if plan.equivalence_seeds is None else plan.equivalence_seeds
        lines.append(f"To show equivalence within ±{margin}, where there is no difference: {number} seeds.")
        if plan.difference < plan.margin:
            lines.append(
                f"compare calls a difference of {difference} equivalent, for it lies within the margin: "
                "judge with a smaller --margin."
            )
    return lines


def _cost(
    num_done: int,
    num_missing: int | None,
    seconds: tuple[float, str] | None,
    spec: Path,
) -> list[str]:
    if num_missing is None:
        return []
    done = f" ({num_done} are finished already)" if num_done else ""
    lines = [f"Runs: {num_missing} of {num_missing + num_done} are to be trained{done}."]
    if seconds is None:
        first = shlex.join(["dropout-lab", "run", str(spec), "--seeds", "1"])
        lines.append(f"Time: not known before one was trained: {first}")
    else:
        total = num_missing * seconds[0]
        lines.append(
            f"Time: about {_duration(total)}, one after the other, at {_duration(seconds[0])} a run "
            f"(measured on {seconds[1] or 'a device without a name'})."
        )
    return lines


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
