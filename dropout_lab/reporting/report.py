"""The report of a comparison: one self-contained HTML page.

It loads nothing, runs no script but the one that sorts its tables, and escapes every name that users chose.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from importlib.resources import files
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from dropout_lab import __version__
from dropout_lab.comparison.results import Comparison
from dropout_lab.comparison.selection import format_seeds
from dropout_lab.evaluation import metrics
from dropout_lab.plotting import Plot, TestPredictions, comparison_plots
from dropout_lab.plotting.evaluation_plots import severity_plots
from dropout_lab.plotting.style import DARK, LIGHT, render
from dropout_lab.records import RunRecord
from dropout_lab.reporting.bibliography import references
from dropout_lab.reporting.data import scores_csv
from dropout_lab.reporting.evaluated_table import evaluated_table
from dropout_lab.reporting.flip_tables import ReadImages, flip_tables
from dropout_lab.reporting.latex import to_latex
from dropout_lab.reporting.legend import legend_of_tests, legend_of_verdicts
from dropout_lab.reporting.markdown import to_markdown
from dropout_lab.reporting.methods import methods_paragraph
from dropout_lab.reporting.seed_table import seed_table
from dropout_lab.reporting.summary import summarize
from dropout_lab.reporting.svg import Palette, inline
from dropout_lab.reporting.tables import TEXT_COLUMNS
from dropout_lab.reporting.view import view_comparison

MAIN_PLOTS = ("rate_response", "heat_map", "paired_seeds", "forest")
"""Names of the plots that show the result; all others explain it."""


@dataclass(frozen=True, kw_only=True)
class ReportLinks:
    """Addresses in the MLflow UI; without one, no link is shown.

    Attributes:
        runs: Page of each run, by run ID.
        comparison: Side-by-side view of the runs.
        curves: Metric curves of the runs, drawn over each other.
    """

    runs: Mapping[str, str] = field(default_factory=dict)
    comparison: str = ""
    curves: str = ""


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """Settings and surroundings of the runs.

    Attributes:
        shared: Facts equal in all runs, by name.
        differing: Other facts, with their values in each condition.
    """

    shared: Mapping[str, str]
    differing: Mapping[str, tuple[str, ...]]

    def groups(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """Return the shared facts by heading, each with its name and value; those not set are left out."""
        found: dict[str, list[tuple[str, str]]] = {heading: [] for heading in _GROUPS.values()}
        for name, value in self.shared.items():
            prefix, _, rest = name.partition(".")
            heading = _GROUPS.get(prefix if rest else "", _GROUPS[""])
            if value != NOT_SET:
                found[heading].append((name, value))
        return [(heading, facts) for heading, facts in found.items() if facts]


NOT_SET = "not set"
MAX_DIGEST = 12
"""Digits of a digest that are shown: enough to tell datasets apart, and they fit a line."""
_GROUPS = {"model": "Model", "training": "Training", "data": "Data", "": "Runs and environment"}


def render_report(
    comparison: Comparison,
    *,
    predictions: Mapping[str, TestPredictions] | None = None,
    class_names: Sequence[str] = (),
    read_images: ReadImages = lambda: None,
    links: ReportLinks | None = None,
    command: str = "",
) -> str:
    """Return the report as HTML; the same arguments give the same page.

    Args:
        comparison: The comparison; learning curves are drawn from the histories of its runs.
        predictions: Test predictions by run ID; without them there are no reliability diagram, no
            confusions and no images that flip.
        class_names: Names of the classes, by class number.
        read_images: Called for the test images if any are to be shown.
        links: Addresses in the MLflow UI; those on this machine are left out, as they are dead elsewhere.
        command: The command that reproduces this report, shown at its end.
    """
    environment = Environment(
        loader=PackageLoader("dropout_lab.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["data_uri"] = _data_uri
    # The page allows this text only: the policy holds its hash.
    script = files("dropout_lab.reporting").joinpath("templates/report.js").read_text(encoding="utf-8")
    plots, palette = comparison_plots(comparison, predictions, class_names), Palette()
    evaluated = tuple(
        severity_plots(
            {
                name: [run.metrics for run in comparison.runs if run.condition == name]
                for name in comparison.conditions
            }
        )
    )
    return environment.get_template("report.html").render(
        comparison=comparison,
        view=view_comparison(comparison),
        summary=summarize(comparison),
        text_columns=TEXT_COLUMNS,
        legend_of_verdicts=legend_of_verdicts(comparison),
        legend_of_tests=legend_of_tests(comparison),
        methods=methods_paragraph(comparison) if comparison.differences else "",
        latex=to_latex(comparison),
        markdown=to_markdown(comparison),
        references=references(comparison) if comparison.differences else [],
        metrics=metrics,
        runs=sorted(comparison.runs, key=lambda run: run.seed),
        seeds=seed_table(comparison),
        scores=scores_csv(comparison).encode(),
        main_plots=[one for one in plots if one.name in MAIN_PLOTS],
        more_plots=[one for one in plots if one.name not in MAIN_PLOTS],
        evaluated=evaluated_table(comparison),
        evaluated_plots=evaluated,
        drawings={
            plot.name: _drawing(plot, f"f{number}-", palette)
            for number, plot in enumerate((*plots, *evaluated))
        },
        palette=palette,
        flips=flip_tables(comparison, predictions or {}, class_names, read_images),
        script=Markup(script),
        script_hash=_content_hash(script),
        protocol=protocol(comparison.runs, comparison.conditions),
        utc=UTC,
        links=_for_readers_elsewhere(links or ReportLinks()),
        command=command,
        version=__version__,
    )


def protocol(runs: Sequence[RunRecord], conditions: Sequence[str]) -> Protocol:
    """Return the facts that the runs share and those that differ between conditions.

    Args:
        runs: Runs of `conditions`, any order.
        conditions: Names of the conditions.
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
            ", ".join(sorted(by_condition.get(c, {""}))) or NOT_SET for c in conditions
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
    used = {
        "device used": run.device,
        "device name": run.device_name,
        "engine used": run.engine,
        "data digest": run.data_digest[:MAX_DIGEST],
    }
    return {
        **run.spec,
        **{name: value for name, value in used.items() if value},
        **{name: value for name, value in run.versions.items() if value},
        **({"git commit": run.commit or "none"} if run.versions.get("dropout_lab") else {}),
    }


def _for_readers_elsewhere(links: ReportLinks) -> ReportLinks:
    addresses = (links.comparison, links.curves, *links.runs.values())
    return ReportLinks() if any(map(_is_local, addresses)) else links


def _is_local(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


def _drawing(plot: Plot, prefix: str, palette: Palette) -> Markup:
    """Return the plot for the page; all words in it were escaped by matplotlib."""
    light, dark = (render(plot.draw(theme), "svg", as_text=True) for theme in (LIGHT, DARK))
    return Markup(inline(light, dark, prefix, palette))


def _content_hash(text: str) -> str:
    """Return the source expression of a Content Security Policy that allows an inline script."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _data_uri(content: bytes, media_type: str) -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"
