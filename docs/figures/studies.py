"""Draws the plots of docs/studies from the scores that are kept there.

python docs/figures/studies.py              # writes all of them
python docs/figures/studies.py kinds        # writes those of one page
"""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

import dropout_lab as dl
from dropout_lab.comparison.results import Comparison
from dropout_lab.evaluation.metrics import metric_info
from dropout_lab.plotting.forest import BAD, GOOD, draw_forest, forest_panels
from dropout_lab.plotting.heatmap import Cell, HeatMap, draw_heat_map
from dropout_lab.plotting.metric_axes import format_ticks
from dropout_lab.plotting.plot_files import THEMES
from dropout_lab.plotting.rate_response import RatePoint, RateResponse, draw_rate_response
from dropout_lab.plotting.style import Theme, default_settings, new_figure, render, style_axes

STUDIES = Path(__file__).resolve().parent.parent / "studies"
SECONDARY = ("test_loss", "generalization_gap", "test_brier", "test_ece")


def forest(name: str, primary: str, reference: str, theme: Theme) -> Figure:
    """Draw the primary metric of each condition."""
    table = STUDIES / "scores" / f"{name}.csv"
    result = dl.judge(table, primary=primary, metrics=[primary], reference=reference)
    return draw_forest(forest_panels(result.comparison), theme)


def rates(theme: Theme) -> Figure:
    """Draw the metrics by the rate of the hidden layers."""
    scores = pd.read_csv(STUDIES / "scores" / "srivastava-rates.csv")
    points = {
        metric: tuple(
            RatePoint(
                condition=condition,
                dropout_rate=float(condition.removeprefix("hidden_-")),
                by_seed=dict(zip(rows["seed"], rows[metric], strict=True)),
            )
            for condition, rows in scores.groupby("condition")
        )
        for metric in ("test_accuracy", "test_loss")
    }
    return draw_rate_response(RateResponse(site="hidden layers", points=points), theme)


def by_size(name: str, reference: str) -> dict[int, Comparison]:
    """Return a comparison for each number of training images, which err together in at most 5% of cases."""
    groups = dict(list(pd.read_csv(STUDIES / "scores" / f"{name}.csv").groupby("num_train")))
    confidence = 1 - 0.05 / len(groups)
    return {
        size: dl.judge(
            rows.drop(columns="num_train"),
            primary="test_accuracy",
            metrics=SECONDARY,
            reference=reference,
            confidence=confidence,
        ).comparison
        for size, rows in groups.items()
    }


@default_settings()
def effects_by_size(theme: Theme) -> Figure:
    """Draw the effect of dropout on accuracy and loss by the number of training images."""
    comparisons = by_size("srivastava-size", "none")
    figure = new_figure(5.2, theme, width=5.2)
    for axes, metric in zip(figure.subplots(2, 1, sharex=True), ("test_accuracy", "test_loss"), strict=True):
        for size, comparison in comparisons.items():
            difference = comparison.difference("dropout", metric)
            word = comparison.verdict("dropout", metric).word
            color = theme.good if word in GOOD else theme.bad if word in BAD else theme.foreground
            mean = difference.mean_difference
            ends = [mean - difference.adjusted_ci_low], [difference.adjusted_ci_high - mean]
            axes.errorbar(size, mean, yerr=ends, fmt="s", color=color, capsize=4, linewidth=2)
            axes.annotate(
                word.value, (size, difference.adjusted_ci_high), xytext=(0, 4), textcoords="offset points",
                color=color, fontsize=7.5, ha="center",
            )  # fmt: skip
        axes.axhline(0, color=theme.muted, linewidth=1)
        axes.set_xscale("log")
        axes.set_xlim(60, 120_000)
        axes.margins(y=0.1)
        axes.set_xticks(list(comparisons), [f"{size:,}" for size in comparisons])
        axes.xaxis.set_minor_formatter(NullFormatter())
        is_first = metric == "test_accuracy"
        unit = " (points)" if metric_info(metric).percent else ""
        style_axes(
            axes,
            theme,
            title="Dropout minus none, intervals for 6 sizes together" if is_first else "",
            xlabel="" if is_first else "training images",
            ylabel=f"{metric_info(metric).label}{unit}",
        )
        format_ticks(axes.yaxis, metric)
    return figure


def rate_by_size(theme: Theme) -> Figure:
    """Draw the effect of each rate on the accuracy for each number of training images."""
    comparisons = by_size("rate-size", "rate_0")
    conditions = next(iter(comparisons.values())).conditions
    cells = {}
    for column, comparison in enumerate(comparisons.values()):
        for row, condition in enumerate(conditions):
            mean, word = 0.0, "reference"
            if condition != comparison.reference:
                mean = comparison.difference(condition, "test_accuracy").mean_difference
                word = comparison.verdict(condition, "test_accuracy").word.value
            cells[row, column] = Cell(condition=condition, mean_difference=mean, word=word)
    rates = tuple(condition.removeprefix("rate_") for condition in conditions)
    sizes = tuple(f"{size:,}" for size in comparisons)
    data = HeatMap(
        metric="test_accuracy",
        settings=("rate of the dense layer", "training images"),
        values=(rates, sizes),
        cells=cells,
    )
    return draw_heat_map(data, theme)


PLOTS: dict[str, Callable[[Theme], Figure]] = {
    "kinds": partial(forest, "kinds", "test_accuracy", "none"),
    "positions": partial(forest, "positions", "test_accuracy", "none"),
    "rate-size": rate_by_size,
    "regularizers": partial(forest, "regularizers", "test_loss", "none"),
    "residual": partial(forest, "residual", "test_accuracy", "none"),
    "srivastava-rates": rates,
    "srivastava-size": effects_by_size,
}


def main() -> None:
    for name in sys.argv[1:] or PLOTS:
        for suffix, theme in THEMES.items():
            (STUDIES / f"{name}{suffix}.png").write_bytes(render(PLOTS[name](theme), "png"))


if __name__ == "__main__":
    main()
