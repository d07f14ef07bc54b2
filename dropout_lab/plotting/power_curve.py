"""Power curve: what fixed and sequential designs do against the true difference."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from dropout_lab.comparison.seed_plan import Outcome
from dropout_lab.plotting.metric_axes import format_ticks, metric_label
from dropout_lab.plotting.style import (
    LIGHT,
    Theme,
    default_settings,
    new_figure,
    series_style,
    style_axes,
    style_legend,
)


@dataclass(frozen=True, kw_only=True)
class PowerCurve:
    """One design.

    Attributes:
        label: Name in the legend.
        outcomes: What it does, in order of the true difference.
    """

    label: str
    outcomes: Sequence[Outcome]


@default_settings()
def draw_power_curves(curves: Sequence[PowerCurve], metric: str, theme: Theme = LIGHT) -> Figure:
    """Draw power and expected seeds of designs against the true difference."""
    figure = new_figure(4.8, theme)
    upper, lower = figure.subplots(2, 1, sharex=True)
    for index, curve in enumerate(curves):
        color, marker = series_style(index, theme)
        differences = [outcome.difference for outcome in curve.outcomes]
        style = {"color": color, "marker": marker, "markersize": 3.5}
        upper.plot(differences, [outcome.found for outcome in curve.outcomes], label=curve.label, **style)
        lower.plot(differences, [outcome.expected_seeds for outcome in curve.outcomes], **style)
    style_axes(upper, theme, title="Power and expected seeds", xlabel="", ylabel="difference found")
    style_axes(
        lower,
        theme,
        title="",
        xlabel=f"true difference in {metric_label(metric, difference=True)}",
        ylabel="seeds per condition",
    )
    upper.set_ylim(-0.03, 1.03)
    upper.yaxis.set_major_formatter(PercentFormatter(1.0))
    lower.set_ylim(bottom=0)
    format_ticks(lower.xaxis, metric)
    style_legend(upper.legend(fontsize=8.5, loc="lower right"), theme)
    return figure
