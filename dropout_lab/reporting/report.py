"""The report of a comparison: one HTML page that needs nothing but itself.

It loads nothing, runs no script, and every name that users chose is escaped.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC

from jinja2 import Environment, PackageLoader, StrictUndefined

from dropout_lab import __version__
from dropout_lab.comparison.results import SYMBOLS, Comparison
from dropout_lab.comparison.selection import format_seeds
from dropout_lab.evaluation import metrics
from dropout_lab.plotting import Picture, TestPredictions, comparison_pictures
from dropout_lab.plotting.style import DARK, LIGHT, Theme, render
from dropout_lab.records import RunRecord


@dataclass(frozen=True, kw_only=True)
class ReportLinks:
    """Addresses in MLflow's page; what is missing is shown without a link.

    Attributes:
        runs: The address of each run's page, by run id.
        comparison: Of MLflow's side-by-side view of the runs.
        curves: Of the runs' metric curves, drawn over each other.
    """

    runs: Mapping[str, str] = field(default_factory=dict)
    comparison: str = ""
    curves: str = ""


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """How the runs were made.

    Attributes:
        shared: Facts that are the same in all runs, by name.
        differing: For each fact that is not, its values in each condition, in order of conditions.
    """

    shared: Mapping[str, str]
    differing: Mapping[str, tuple[str, ...]]


def render_report(
    comparison: Comparison,
    *,
    predictions: Mapping[str, TestPredictions] | None = None,
    class_names: Sequence[str] = (),
    links: ReportLinks | None = None,
    command: str = "",
) -> str:
    """Return the report as HTML; the same arguments give the same page.

    Args:
        comparison: Its runs carry the histories that learning curves are drawn from.
        predictions: Test predictions by run id; without them there is no reliability diagram.
        class_names: By class number.
        links: Into MLflow's page.
        command: What makes this report again, shown at its end.
    """
    environment = Environment(
        loader=PackageLoader("dropout_lab.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["data_uri"] = _data_uri
    pictures = comparison_pictures(comparison, predictions, class_names)
    return environment.get_template("report.html").render(
        comparison=comparison,
        differences={(d.condition, d.metric): d for d in comparison.differences},
        metrics=metrics,
        symbols=SYMBOLS,
        pictures=pictures,
        picture_svg=_picture_svg,
        themes={"light": LIGHT, "dark": DARK},
        protocol=protocol(comparison.runs, comparison.conditions),
        utc=UTC,
        links=links or ReportLinks(),
        command=command,
        version=__version__,
    )


def protocol(runs: Sequence[RunRecord], conditions: Sequence[str]) -> Protocol:
    """Return what the runs share and what differs between their conditions.

    Args:
        runs: Of `conditions`, in any order.
        conditions: The columns of what differs.
    """
    facts: dict[str, dict[str, set[str]]] = {}
    for run in runs:
        for name, value in _facts(run).items():
            facts.setdefault(name, {}).setdefault(run.condition, set()).add(value)
    columns_by_name = {
        "seeds": tuple(format_seeds(run.seed for run in runs if run.condition == c) for c in conditions)
    }
    for name, by_condition in facts.items():
        columns_by_name[name] = tuple(
            ", ".join(sorted(by_condition.get(c, {""}))) or "not set" for c in conditions
        )
    shared: dict[str, str] = {}
    differing: dict[str, tuple[str, ...]] = {}
    for name, columns in columns_by_name.items():
        if len(set(columns)) == 1:
            shared[name] = columns[0]
        else:
            differing[name] = columns
    return Protocol(shared=shared, differing=differing)


def _facts(run: RunRecord) -> dict[str, str]:
    commit = f"{run.git_commit[:12] or 'none'}{' with uncommitted changes' if run.git_dirty else ''}"
    return {
        **run.spec,
        "device used": run.device,
        "device name": run.device_name,
        "engine used": run.engine,
        "data digest": run.data_digest,
        **{f"version of {name}": value for name, value in run.versions.items()},
        "git commit": commit,
    }


def _picture_svg(picture: Picture, theme: Theme) -> bytes:
    return render(picture.draw(theme), "svg")


def _data_uri(svg: bytes) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg).decode()
