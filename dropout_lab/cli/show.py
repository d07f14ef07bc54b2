"""``dropout-lab show``: print one run."""

import math
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from dropout_lab.cli.console import TextOrJson, print_json, printable, starting
from dropout_lab.cli.help import documented
from dropout_lab.evaluation.registry import CLASS_ACCURACY, EPOCH_METRICS, SYSTEM

if TYPE_CHECKING:
    from dropout_lab.records import RunRecord
    from dropout_lab.tracking import LoggedModel

BARS = "▁▂▃▄▅▆▇█"
MAX_BARS = 40


@documented(
    "Show the results and settings of one run.",
    "A run name that several experiments have means the experiment that was used last.",
    examples=[
        "dropout-lab show dropout-seed0",
        "dropout-lab show study/dropout-seed0",
        "dropout-lab show 5fcca736 --format json",
    ],
)
def show(
    run: Annotated[
        str, typer.Argument(help="[EXPERIMENT/]RUN: run name, run ID, or unique ID prefix.", metavar="RUN")
    ],
    format_: Annotated[TextOrJson, typer.Option("--format", help="Output format.")] = TextOrJson.TEXT,
) -> None:
    """Read one run and print it."""
    with starting("MLflow"):
        from dropout_lab.tracking import find_model, find_run, links, locate

        found = find_run(run, histories=EPOCH_METRICS)
        model = find_model(found)
        uri = locate().uri
    address = links.run_address(links.base_address(uri), found.experiment_id, found.run_id)
    command = links.ui_command(uri, is_default="MLFLOW_TRACKING_URI" not in os.environ)
    if format_ is TextOrJson.JSON:
        from dataclasses import asdict

        print_json(asdict(found) | {"model": _model_fields(found, model), "address": address})
        return
    print(printable(f"{found.run_name}: {found.status.value}"))
    if found.description:
        print(printable(found.description))
    sections = {
        "Run": _facts(found),
        "Spec": {key: value or "(not set)" for key, value in found.spec.items()},
        "Curves by epoch": _curves(found),
        "Results": _results(found),
        "Model": _model_rows(found, model),
        "MLflow UI": {"run": command, "open": address} if command else {"open": address},
    }
    for title, rows in sections.items():
        if rows:
            print(f"\n{title}")
        width = max(map(len, rows), default=0)
        for label, value in rows.items():
            print(printable(f"  {label:<{width}}  {value}"))


def _model_fields(run: "RunRecord", model: "LoggedModel | None") -> dict[str, object] | None:
    if model is None:
        return None
    return {"uri": f"runs:/{run.run_id}/model", "location": model.address, "missing": model.is_missing}


def _model_rows(run: "RunRecord", model: "LoggedModel | None") -> dict[str, str]:
    if model is None:
        return {"model": "not logged"}
    if model.is_missing:
        return {"folder": f"{model.address} (missing: its files were deleted or moved)"}
    return {"folder": model.address, "load": f'mlflow.keras.load_model("runs:/{run.run_id}/model")'}


def _facts(run: "RunRecord") -> dict[str, str]:
    commit = run.git_commit[:12] + (" with uncommitted changes" if run.git_dirty else "")
    facts = {
        "run ID": run.run_id,
        "experiment": run.experiment_name,
        "condition": run.condition,
        "seed": str(run.seed),
        "started": f"{run.start_time.astimezone():%Y-%m-%d %H:%M:%S}",
        "device": f"{run.device_name} ({run.device})" if run.device else "",
        "engine": run.engine,
        "code": commit,
        "versions": ", ".join(f"{package} {version}" for package, version in sorted(run.versions.items())),
        "data": run.data_digest,
        "initial weights": run.initial_weights,
        "batch order": run.batch_order,
        "final weights": run.final_weights,
    }
    return {label: value for label, value in facts.items() if value}


def _curves(run: "RunRecord") -> dict[str, str]:
    from dropout_lab.evaluation.metrics import format_value

    def ends(name: str, values: Sequence[float]) -> str:
        first, last = (format_value(name, value) for value in (values[0], values[-1]))
        return f"{first} -> {last}" if len(values) > 1 else first

    return {
        name: f"{sparkline(run.history[name])}  {ends(name, run.history[name])}"
        for name in EPOCH_METRICS
        if run.history.get(name)
    }


def _results(run: "RunRecord") -> dict[str, str]:
    from dropout_lab.evaluation.metrics import format_value

    classes = {member: CLASS_ACCURACY.name(member) for member in CLASS_ACCURACY.members(run.metrics)}
    apart = {*EPOCH_METRICS, *classes.values()}
    final = {
        name: format_value(name, value)
        for name, value in sorted(run.metrics.items())
        # The UI plots the machine's load over time; its last value alone is of no use.
        if name not in apart and SYSTEM.member(name) is None
    }
    if classes:
        final["test accuracy by class"] = ", ".join(
            f"{member}: {format_value(name, run.metrics[name])}" for member, name in classes.items()
        )
    return final


def sparkline(values: Sequence[float], max_bars: int = MAX_BARS) -> str:
    """Return `values` as bars between their lowest and highest; ``?`` if one is not finite.

    Of more than `max_bars` values, evenly spaced ones are kept, with the first and the last.
    """
    if len(values) > max_bars:
        values = [values[round(i * (len(values) - 1) / (max_bars - 1))] for i in range(max_bars)]
    finite = [value for value in values if math.isfinite(value)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 0.0)
    span = high - low

    def bar(value: float) -> str:
        if not math.isfinite(value):
            return "?"
        return BARS[round((value - low) / span * (len(BARS) - 1))] if span else BARS[0]

    return "".join(map(bar, values))
