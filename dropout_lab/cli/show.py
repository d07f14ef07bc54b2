"""``dropout-lab show``: print one run."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from dropout_lab.cli.completion import complete_run
from dropout_lab.cli.console import TextOrJson, is_verbose, print_json, starting, stdout
from dropout_lab.cli.help import documented
from dropout_lab.cli.metric_names import BY_CLASS, is_incidental, label
from dropout_lab.cli.tables import print_facts, print_text
from dropout_lab.evaluation.registry import CLASS_ACCURACY, DROPOUT_RATE, EPOCH_METRICS, SYSTEM

if TYPE_CHECKING:
    from dropout_lab.records import RunRecord
    from dropout_lab.tracking import LoggedModel

BARS = "▁▂▃▄▅▆▇█"
MAX_BARS = 24


@documented(
    "Show the results and settings of one run.",
    "A run name that several experiments have means the experiment that was used last. Settings that have "
    "their default values are shown with --verbose.",
    examples=[
        "dropout-lab show dropout-seed0",
        "dropout-lab show study/dropout-seed0",
        "dropout-lab show 5fcca736 --format json",
    ],
)
def show(
    run: Annotated[
        str,
        typer.Argument(
            help="[EXPERIMENT/]RUN: run name, run ID, or unique ID prefix.",
            metavar="RUN",
            autocompletion=complete_run,
        ),
    ],
    format_: Annotated[TextOrJson, typer.Option("--format", help="Output format.")] = TextOrJson.TEXT,
) -> None:
    """Read one run and print it."""
    with starting("MLflow"):
        from dropout_lab.tracking import find_model, find_run, links, locate

        found = find_run(run, histories=EPOCH_METRICS, families=(DROPOUT_RATE,))
        model = find_model(found)
        location = locate()
        is_local = not location.is_server
    address = links.run_address(links.base_address(location.uri), found.experiment_id, found.run_id)
    if format_ is TextOrJson.JSON:
        from dataclasses import asdict

        print_json(asdict(found) | {"model": _model_fields(model), "address": address})
        return
    console = stdout()
    print_text(console, found.run_name, lead=f"{found.status.value}  ")
    if found.description:
        print_text(console, found.description)
    changed, defaults = _settings(found)
    sections = {
        "Results": _results(found),
        BY_CLASS: _classes(found),
        "Learning curves": _curves(found),
        "Settings that differ from the defaults": changed,
        "Default settings": defaults if is_verbose() else {},
        "Provenance": _facts(found),
        "Model": _model_rows(found, model),
        "MLflow UI": {"start": "dropout-lab ui", "open": address} if is_local else {"open": address},
    }
    for title, rows in sections.items():
        if rows:
            console.print()
            print_text(console, title, style="bold")
            print_facts(console, rows, indent=2)


def _model_fields(model: "LoggedModel | None") -> dict[str, object] | None:
    if model is None:
        return None
    return {"uri": model.uri, "location": model.address, "missing": model.is_missing}


def _model_rows(run: "RunRecord", model: "LoggedModel | None") -> dict[str, str]:
    if model is None:
        return {"model": "not logged"}
    if model.is_missing:
        return {"folder": f"{model.address} (missing: its files were deleted or moved)"}
    # With code of the user's only pyfunc finds its classes.
    flavor = "pyfunc" if "model.code" in run.spec else "keras"
    return {"folder": model.address, "load": f'mlflow.{flavor}.load_model("{model.uri}")'}


def _facts(run: "RunRecord") -> dict[str, str]:
    facts = {
        "run ID": run.run_id,
        "experiment": run.experiment_name,
        "condition": run.condition,
        "seed": str(run.seed),
        "started": f"{run.start_time.astimezone():%Y-%m-%d %H:%M:%S}",
        "device": f"{run.device_name} ({run.device})" if run.device else "",
        "engine": run.engine,
        "code": run.commit,
        "versions": ", ".join(f"{package} {version}" for package, version in sorted(run.versions.items())),
        "data": run.data_digest,
        "initial weights": run.initial_weights,
        "batch order": run.batch_order,
        "final weights": run.final_weights,
    }
    return {label: value for label, value in facts.items() if value}


def _settings(run: "RunRecord") -> tuple[dict[str, str], dict[str, str]]:
    """Return the settings that differ from the defaults, and the others."""
    from dropout_lab.spec import Settings
    from dropout_lab.spec.settings import flatten

    defaults = flatten(Settings())
    changed: dict[str, str] = {}
    same: dict[str, str] = {}
    for key, value in run.spec.items():
        (same if defaults.get(key) == value else changed)[key] = value or "(not set)"
    return changed, same


def _curves(run: "RunRecord") -> dict[str, str]:
    from dropout_lab.evaluation.metrics import format_value

    def ends(name: str, values: Sequence[float]) -> str:
        first, last = (format_value(name, value) for value in (values[0], values[-1]))
        return f"{first} -> {last}" if len(values) > 1 else first

    return {
        label(name): f"{sparkline(run.history[name])}  {ends(name, run.history[name])}"
        for name in dict.fromkeys([*EPOCH_METRICS, *run.history])
        if run.history.get(name)
    }


def _results(run: "RunRecord") -> dict[str, str]:
    """Return the final metrics, those that are compared by default first and incidental ones last."""
    from dropout_lab.evaluation.metrics import DEFAULT_METRICS, format_value, is_detail

    names = [
        name
        for name in sorted(run.metrics, key=is_incidental)
        # The UI plots the machine's load over time; its last value alone is of no use.
        if name not in EPOCH_METRICS
        and not is_detail(name, run.metrics)
        and not any(family.member(name) for family in (CLASS_ACCURACY, DROPOUT_RATE, SYSTEM))
    ]
    first = [name for name in DEFAULT_METRICS if name in names]
    return {label(name): format_value(name, run.metrics[name]) for name in dict.fromkeys([*first, *names])}


def _classes(run: "RunRecord") -> dict[str, str]:
    from dropout_lab.evaluation.metrics import format_value

    classes = map(CLASS_ACCURACY.name, CLASS_ACCURACY.members(run.metrics))
    names = run.class_names
    return {label(name, names): format_value(name, run.metrics[name]) for name in classes}


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
