"""Axes of metrics: label with unit, ticks in percent if the metric is a fraction, and which side is good."""

from collections.abc import Sequence
from math import isfinite

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import MaxNLocator

from dropout_lab.evaluation.metrics import metric_info
from dropout_lab.plotting.style import Theme, percent


def metric_label(metric: str, *, difference: bool = False) -> str:
    """Return the axis label of a metric, or of differences of it, such as ``test accuracy (%)``."""
    info = metric_info(metric)
    unit = "percentage points" if info.percent and (difference or info.is_gap) else info.unit.value
    return f"{info.label} ({unit})" if unit else info.label


def format_ticks(axis: Axis, metric: str) -> None:
    """Show the ticks of `axis` in percent where `metric` is shown so."""
    if metric_info(metric).percent:
        axis.set_major_formatter(percent())


def limit_axis(axes: Axes, points: Sequence[float], margin: float) -> None:
    """Limit the x axis to twice the largest distance from 0 of `points` and `margin`.

    Intervals are cut there: with 2 seeds they are 13 standard errors wide, and would hide all else.
    """
    low, high = axes.get_xlim()
    reach = 2 * max([1.2 * margin, *(abs(one) for one in points if isfinite(one))])
    if reach:
        axes.set_xlim(max(low, -reach), min(high, reach))
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 5, 10], min_n_ticks=3))


def name_sides(axes: Axes, left: str, right: str, theme: Theme) -> None:
    """Write at the ends of the x axis what its two sides mean."""
    sides = ((f"\N{LEFTWARDS ARROW} {left}", 0, "left"), (f"{right} \N{RIGHTWARDS ARROW}", 1, "right"))
    for text, place, side in sides:
        axes.annotate(
            text, (place, 0), xycoords="axes fraction", xytext=(0, -20), textcoords="offset points",
            ha=side, va="top", fontsize=8.5, color=theme.foreground,
        )  # fmt: skip
