"""Options that `compare` and `judge` share, and what they are turned into."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from dropout_lab.cli.completion import complete_condition, complete_metric
from dropout_lab.cli.metric_names import full_name
from dropout_lab.errors import UsageError

PRIMARY = ""
"""Stands for the primary metric, which the runs may tell."""

Conditions = Annotated[
    list[str] | None,
    typer.Option(
        "--condition",
        metavar="CONDITION",
        help="Show only this condition and the reference. Repeatable.",
        autocompletion=complete_condition,
    ),
]
Metrics = Annotated[
    list[str] | None,
    typer.Option(
        "--metric",
        metavar="METRIC",
        help="Metric to show beside the primary one: a name, or acc, loss, gap, brier or ece. Repeatable.",
        autocompletion=complete_metric,
    ),
]
Primary = Annotated[
    str | None,
    typer.Option(
        metavar="METRIC",
        help="Metric that the verdict is about. [default: the spec's, the first --metric, or test_accuracy]",
        autocompletion=complete_metric,
    ),
]
Reference = Annotated[
    str | None,
    typer.Option(
        "--reference",
        "--baseline",
        metavar="CONDITION",
        help='Reference condition. [default: "baseline", a condition without dropout, or the first]',
        autocompletion=complete_condition,
    ),
]
Margins = Annotated[
    list[str] | None,
    typer.Option(
        "--margin",
        metavar="[METRIC=]VALUE",
        help="Equivalence margin as a fraction (0.002 = 0.2 points). Without METRIC, applies to the primary "
        "metric. Repeatable. [default: the spec's, or 0.002 for accuracies and gaps, 0.01 for losses, 0.005 "
        "for Brier score and calibration error]",
    ),
]
MethodName = Annotated[
    Literal["t", "bootstrap", "sign-flip", "wilcoxon"],
    typer.Option(
        "--method",
        help="Paired t test, studentized bootstrap, exact sign-flip test or Wilcoxon signed-rank test.",
    ),
]
Confidence = Annotated[
    float,
    typer.Option(metavar="LEVEL", min=0.5, max=0.9999, help="Confidence level of intervals and verdicts."),
]
AllPairsFlag = Annotated[
    bool, typer.Option("--all-pairs", help="Also compare all pairs of conditions, and rank them.")
]
PlotsFolder = Annotated[
    Path | None, typer.Option("--plots", metavar="FOLDER", help="Write plots (PNG and SVG) to this folder.")
]
ReportFile = Annotated[
    Path | None, typer.Option("--report", metavar="FILE", help="Write a self-contained HTML report.")
]
Format = Annotated[
    Literal["table", "markdown", "csv", "json", "latex"], typer.Option("--format", help="Output format.")
]


def parse_metrics(texts: Sequence[str], name_of: Callable[[str], str] = full_name) -> list[str]:
    """Return the metrics that names, aliases and lists such as ``acc,loss`` stand for, each once.

    Args:
        texts: Values of the option.
        name_of: Returns the metric that a name stands for. [default: `full_name`]
    """
    names = [name.strip() for text in texts for name in text.split(",") if name.strip()]
    return list(dict.fromkeys(map(name_of, names)))


def parse_margins(texts: Sequence[str], name_of: Callable[[str], str] = full_name) -> dict[str, float]:
    """Return the margins by metric; that of the primary metric by `PRIMARY`.

    Args:
        texts: ``VALUE`` or ``METRIC=VALUE`` each.
        name_of: As in `parse_metrics`.

    Raises:
        UsageError: If a value is not a fraction above 0.
    """
    margins = {}
    for text in texts:
        name, separator, number = text.rpartition("=")
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and value > 0) or (separator and not name):
            raise UsageError(f"--margin: not a fraction above 0 such as 0.003 or test_loss=0.02: {text!r}")
        margins[name_of(name) if name else PRIMARY] = value
    return margins


def check_report_folder(report: Path | None) -> None:
    """Raise a UsageError if the folder of the report does not exist."""
    if report is not None and not report.parent.is_dir():
        raise UsageError(f"--report: directory {report.parent} does not exist")
