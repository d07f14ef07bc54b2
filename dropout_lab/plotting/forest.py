"""Forest plot: every difference from the reference on one axis, in equivalence margins, right is better."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dropout_lab.comparison.results import Comparison, Difference, VerdictWord
from dropout_lab.evaluation.metrics import format_difference, format_percent, metric_info
from dropout_lab.plotting.metric_axes import format_ticks, limit_axis, metric_label, name_sides
from dropout_lab.plotting.style import (
    LIGHT,
    MARKERS,
    Theme,
    default_settings,
    new_figure,
    plain,
    style_axes,
)
from dropout_lab.plotting.tooltips import add_tooltips, mean_words, seed_words

GOOD = (VerdictWord.BETTER, VerdictWord.NARROWER)
BAD = (VerdictWord.WORSE, VerdictWord.WIDER)


@dataclass(frozen=True, kw_only=True)
class ForestRow:
    """One difference on its panel's axis; interval ends are NaN if there is none.

    Attributes:
        number: Number of the condition among those compared, from 0.
        mean, by_seed: Mean difference and paired differences.
        interval: Confidence interval of this difference alone.
        adjusted: The interval adjusted for the number of tests, which the verdict follows.
        shown: The mean difference in its own unit.
        words: For each seed the paired difference in its own unit, and last the mean with its interval.
    """

    metric: str
    condition: str
    number: int
    mean: float
    by_seed: tuple[float, ...]
    interval: tuple[float, float]
    adjusted: tuple[float, float]
    shown: str
    words: tuple[str, ...]
    verdict: VerdictWord


@dataclass(frozen=True, kw_only=True)
class ForestPanel:
    """Differences that share an axis.

    Attributes:
        metric: The metric whose unit the axis has; None for differences in equivalence margins, which are
            oriented so that better, or a narrower gap, is to the right.
        rows: In order of metric and condition.
    """

    metric: str | None
    reference: str
    confidence: float
    rows: tuple[ForestRow, ...]


def forest_panels(comparison: Comparison, metrics: Sequence[str] | None = None) -> tuple[ForestPanel, ...]:
    """Return a panel of all metrics with an equivalence margin, and one for each other metric.

    Args:
        comparison: The comparison.
        metrics: Only these metrics. [default: all]
    """
    rows: dict[str | None, list[ForestRow]] = {}
    for metric in comparison.metrics if metrics is None else metrics:
        for number, condition in enumerate(comparison.conditions[1:]):
            difference = comparison.difference(condition, metric)
            if isfinite(difference.mean_difference):
                word = comparison.verdict(condition, metric).word
                rows.setdefault(None if difference.margin else metric, []).append(
                    _row(difference, number, word)
                )
    return tuple(
        ForestPanel(
            metric=metric,
            reference=comparison.reference,
            confidence=comparison.confidence,
            rows=tuple(own),
        )
        for metric, own in sorted(rows.items(), key=lambda item: item[0] is not None)
    )


def _row(difference: Difference, number: int, word: VerdictWord) -> ForestRow:
    scale = _scale(difference)
    return ForestRow(
        metric=difference.metric,
        condition=difference.condition,
        number=number,
        mean=scale * difference.mean_difference,
        by_seed=tuple(scale * one for one in difference.differences.values()),
        interval=_scaled(scale, difference.ci_low, difference.ci_high),
        adjusted=_scaled(scale, difference.adjusted_ci_low, difference.adjusted_ci_high),
        shown=format_difference(difference.metric, difference.mean_difference),
        words=(
            *seed_words(difference.metric, difference.condition, difference.differences),
            mean_words(
                difference.metric,
                difference.condition,
                difference.mean_difference,
                (difference.adjusted_ci_low, difference.adjusted_ci_high),
            ),
        ),
        verdict=word,
    )


def _scale(difference: Difference) -> float:
    """Return what turns a difference into margins, better to the right; 1 without a margin."""
    if not difference.margin:
        return 1.0
    info = metric_info(difference.metric)
    lower_is_right = info.is_gap or info.higher_is_better is False
    return (-1 if lower_is_right else 1) / difference.margin


def _scaled(scale: float, low: float, high: float) -> tuple[float, float]:
    first, second = sorted((scale * low, scale * high))
    return first, second


@default_settings()
def draw_forest(panels: Sequence[ForestPanel], theme: Theme = LIGHT) -> Figure:
    """Draw one panel below the other: for each row name and verdict, the seeds, and mean with interval."""
    heights = [0.8 + 0.46 * len(panel.rows) + 0.3 * _num_headings(panel) for panel in panels]
    figure = new_figure(sum(heights) + 0.3, theme)
    all_axes = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axes, panel in zip(all_axes, panels, strict=True):
        _draw_panel(axes, panel, theme)
    first = panels[0]
    figure.suptitle(
        f"Difference from {plain(first.reference, 24)}, {format_percent(first.confidence)} CI",
        x=0.02, ha="left", fontsize=10, fontweight="bold", color=theme.foreground,
    )  # fmt: skip
    return figure


def _num_headings(panel: ForestPanel) -> int:
    """Return the number of metrics that have a heading: none if each has one row."""
    metrics = {row.metric for row in panel.rows}
    return len(metrics) if len(metrics) < len(panel.rows) else 0


def _draw_panel(axes: Axes, panel: ForestPanel, theme: Theme) -> None:
    axes.axvline(0, color=theme.foreground, linewidth=1)
    if panel.metric is None:
        axes.axvspan(-1, 1, color=theme.muted, alpha=0.22, linewidth=0)
    with_headings = _num_headings(panel) > 0
    place, last = 0.0, ""
    for row in panel.rows:
        if with_headings and row.metric != last:
            _write(axes, place - 0.3, plain(metric_info(row.metric).label), theme, bold=True)
            place += 0.5
        last = row.metric
        name = row.condition if with_headings else metric_info(row.metric).label
        _draw_row(axes, place, row, plain(name, 30), theme)
        place += 1
    unit = "difference / equivalence margin"
    xlabel = unit if panel.metric is None else metric_label(panel.metric, difference=True)
    style_axes(axes, theme, title="", xlabel=xlabel, ylabel="")
    points = [point for row in panel.rows for point in (*row.by_seed, row.mean)]
    limit_axis(axes, points, 1.0 if panel.metric is None else 0.0)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_ylim(place - 0.4, -0.65)
    axes.grid(visible=False, axis="y")
    if panel.metric is None:
        name_sides(axes, "worse", "better", theme)
    else:
        format_ticks(axes.xaxis, panel.metric)


def _draw_row(axes: Axes, place: float, row: ForestRow, name: str, theme: Theme) -> None:
    color = theme.good if row.verdict in GOOD else theme.bad if row.verdict in BAD else theme.muted
    _write(axes, place - 0.3, name, theme)
    axes.annotate(
        f"{row.shown}, {row.verdict}", (1, place - 0.3), xycoords=("axes fraction", "data"),
        ha="right", va="center", fontsize=8.5, color=color, bbox=_behind(theme),
    )  # fmt: skip
    seeds = [place] * len(row.by_seed)
    (dots,) = axes.plot(row.by_seed, seeds, linestyle="", marker=".", markersize=5, color=color, alpha=0.6)
    add_tooltips(dots, row.words[:-1])
    for (low, high), width in ((row.adjusted, 1.2), (row.interval, 3.0)):
        if isfinite(low) and isfinite(high):
            axes.plot([low, high], [place + 0.24] * 2, color=color, linewidth=width, solid_capstyle="butt")
    marker = MARKERS[(row.number + 1) % len(MARKERS)]
    (mean,) = axes.plot(row.mean, place + 0.24, linestyle="", marker=marker, markersize=6.5, color=color)
    add_tooltips(mean, row.words[-1:])


def _behind(theme: Theme) -> dict[str, Any]:
    """Return the box behind a text that keeps the lines of the axes out of it."""
    return {"facecolor": theme.background, "edgecolor": "none", "alpha": 0.85, "pad": 0.8}


def _write(axes: Axes, place: float, text: str, theme: Theme, *, bold: bool = False) -> None:
    axes.annotate(
        text, (0, place), xycoords=("axes fraction", "data"), ha="left", va="center", fontsize=8.5,
        color=theme.foreground, fontweight="bold" if bold else "normal", bbox=_behind(theme),
    )  # fmt: skip
