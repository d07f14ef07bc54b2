"""Learning curves of many conditions: a row for each, with the curves of the reference in gray."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dropout_lab.plotting.curves import EPOCHS_TO_ZOOM, Curve, LearningCurves
from dropout_lab.plotting.style import (
    LIGHT,
    Theme,
    default_settings,
    new_figure,
    percent,
    plain,
    series_style,
    style_axes,
    whole_numbers,
)


@default_settings()
def draw_small_multiples(data: LearningCurves, reference: str, theme: Theme = LIGHT) -> Figure:
    """Draw validation loss and accuracy of every condition but `reference` beside each other."""
    conditions = list(dict.fromkeys(curve.condition for curve in data.loss + data.accuracy))
    others = [name for name in conditions if name != reference]
    figure = new_figure(0.5 + 1.35 * len(others), theme)
    all_axes = figure.subplots(len(others), 2, squeeze=False, sharex=True, sharey="col")
    for row, name in enumerate(others):
        color, marker = series_style(conditions.index(name), theme)
        for axes, curves in zip(all_axes[row], (data.loss, data.accuracy), strict=True):
            for curve in curves:
                if curve.condition == reference:
                    _draw(axes, curve, theme.muted, "")
                elif curve.condition == name:
                    _draw(axes, curve, color, marker)
            is_last = row == len(others) - 1
            is_loss = curves is data.loss
            style_axes(
                axes,
                theme,
                title=plain(name, 24) if is_loss else "",
                xlabel="epoch" if is_last else "",
                ylabel="loss (nats)" if is_loss else "accuracy (%)",
            )
            axes.xaxis.set_major_locator(whole_numbers())
    for axes, curves in zip(all_axes[0], (data.loss, data.accuracy), strict=True):
        _zoom(axes, curves)
    all_axes[0, 1].yaxis.set_major_formatter(percent())
    return figure


def _draw(axes: Axes, curve: Curve, color: str, marker: str) -> None:
    every = max(1, len(curve.mean) // 8)
    axes.plot(
        curve.epochs, curve.mean, color=color, marker=marker, markersize=4, markevery=every, linewidth=1.4
    )
    if curve.num_seeds > 1:
        axes.fill_between(curve.epochs, curve.low, curve.high, color=color, alpha=0.2, linewidth=0)


def _zoom(axes: Axes, curves: Sequence[Curve]) -> None:
    """Fit the axis to all epochs but the first."""
    later = [end for curve in curves for ends in (curve.low, curve.high) for end in ends[1:]]
    if later and min(len(curve.mean) for curve in curves) >= EPOCHS_TO_ZOOM:
        room = 0.08 * (max(later) - min(later)) or 0.01
        axes.set_ylim(min(later) - room, max(later) + room)
