"""Forest plot: the difference of each condition from the reference, with its interval and the margin zone."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from dropout_lab.comparison.results import Comparison
from dropout_lab.evaluation.metrics import format_percent
from dropout_lab.plotting.metric_axes import format_ticks, metric_label
from dropout_lab.plotting.style import (
    LIGHT,
    Theme,
    default_settings,
    new_figure,
    plain,
    series_style,
    style_axes,
)


@dataclass(frozen=True, kw_only=True)
class ForestRow:
    """One condition's difference from the reference; interval ends are NaN where there is none.

    Attributes:
        verdict: The verdict's word, written beside the interval.
    """

    condition: str
    mean_difference: float
    ci_low: float
    ci_high: float
    n: int
    verdict: str


@dataclass(frozen=True, kw_only=True)
class ForestPanel:
    """All conditions on one metric.

    Attributes:
        margin: Differences within it are called equivalent; None where none is known.
    """

    metric: str
    reference: str
    confidence: float
    margin: float | None
    rows: tuple[ForestRow, ...]


def forest_panels(comparison: Comparison) -> tuple[ForestPanel, ...]:
    """Return a panel for each metric of `comparison` that has a difference which can be drawn."""
    panels = []
    for metric in comparison.metrics:
        drawable = [d for d in comparison.differences if d.metric == metric and isfinite(d.mean_difference)]
        if not drawable:
            continue
        rows = tuple(
            ForestRow(
                condition=d.condition,
                mean_difference=d.mean_difference,
                ci_low=d.adjusted_ci_low,
                ci_high=d.adjusted_ci_high,
                n=d.n,
                verdict=comparison.verdict(d.condition, metric).word,
            )
            for d in drawable
        )
        panels.append(
            ForestPanel(
                metric=metric,
                reference=comparison.reference,
                confidence=comparison.confidence,
                margin=drawable[0].margin,
                rows=rows,
            )
        )
    return tuple(panels)


@default_settings()
def draw_forest(panels: Sequence[ForestPanel], theme: Theme = LIGHT) -> Figure:
    """Draw one panel below the other, each with the axis of its metric."""
    heights = [0.75 + 0.36 * len(panel.rows) for panel in panels]
    figure = new_figure(sum(heights) + 0.3, theme)
    all_axes = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axes, panel in zip(all_axes, panels, strict=True):
        _draw_panel(axes, panel, theme)
    first = panels[0]
    figure.suptitle(
        f"Difference from {plain(first.reference)}, {format_percent(first.confidence)} CI",
        x=0.02, ha="left", fontsize=10, fontweight="bold", color=theme.foreground,
    )  # fmt: skip
    return figure


def _draw_panel(axes: Axes, panel: ForestPanel, theme: Theme) -> None:
    axes.axvline(0, color=theme.foreground, linewidth=1)
    if panel.margin:
        axes.axvspan(-panel.margin, panel.margin, color=theme.muted, alpha=0.22, linewidth=0)
    for index, row in enumerate(panel.rows):
        color, marker = series_style(index + 1, theme)
        if isfinite(row.ci_low) and isfinite(row.ci_high):
            axes.plot(
                [row.ci_low, row.ci_high],
                [index, index],
                color=color,
                linewidth=2.4,
                marker="|",
                markersize=9,
            )
        axes.plot(row.mean_difference, index, marker=marker, markersize=7, color=color, linestyle="")
        axes.annotate(
            f"{row.verdict} (n = {row.n})", (1.01, index), xycoords=("axes fraction", "data"), va="center",
            fontsize=8, color=theme.foreground,
        )  # fmt: skip
    xlabel = metric_label(panel.metric, difference=True)
    style_axes(axes, theme, title="", xlabel=xlabel, ylabel="")
    axes.set_yticks(range(len(panel.rows)), [plain(row.condition, 18) for row in panel.rows])
    axes.set_ylim(len(panel.rows) - 0.4, -0.6)
    axes.margins(x=0.08)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 5, 10], min_n_ticks=3))
    axes.grid(visible=False, axis="y")
    format_ticks(axes.xaxis, panel.metric)
