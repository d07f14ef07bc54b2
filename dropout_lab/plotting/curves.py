"""Learning curves: loss and accuracy by epoch, of one run or of conditions with bands over their seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dropout_lab.plotting.rate_curves import RATES_HEIGHT, draw_rates, rate_curves
from dropout_lab.plotting.style import (
    LIGHT,
    WIDTH,
    Theme,
    default_settings,
    new_figure,
    percent,
    plain,
    series_style,
    style_axes,
    style_legend,
    whole_numbers,
)
from dropout_lab.records import EpochMetrics, RunRecord

TRAIN = "train (dropout on)"
VALIDATION = "validation"
METRIC_PARTS = {"loss": ("loss", "val_loss"), "accuracy": ("accuracy", "val_accuracy")}
"""The training and the validation metric of each panel."""
CURVE_METRICS = tuple(metric for pair in METRIC_PARTS.values() for metric in pair)
"""Names of the histories that learning curves are drawn from."""

EPOCHS_TO_ZOOM = 4
"""With as many epochs, the first may leave a panel of conditions: it would set the scale."""


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One line of a panel; fractions are 0 to 1.

    Attributes:
        condition: Empty where the plot is of one run.
        part: TRAIN or VALIDATION.
        mean: By epoch from 1, over the seeds.
        low, high: Lowest and highest of the seeds by epoch; equal to `mean` for one seed.
    """

    condition: str
    part: str
    num_seeds: int
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    @property
    def epochs(self) -> range:
        """Epochs of the values, counted from 1."""
        return range(1, len(self.mean) + 1)


@dataclass(frozen=True, kw_only=True)
class LearningCurves:
    """What the panels of a learning-curves plot show.

    Attributes:
        loss, accuracy: The two panels that each plot has.
        rates: Dropout rates by epoch, by the sites that have them; empty if no rate changes.
    """

    loss: tuple[Curve, ...]
    accuracy: tuple[Curve, ...]
    rates: Mapping[str, tuple[float, ...]] = field(default_factory=dict)


def run_curves(epochs: Sequence[EpochMetrics]) -> LearningCurves:
    """Return the learning curves of one run from its epochs, in order."""
    histories = {name: [getattr(epoch, name) for epoch in epochs] for name in CURVE_METRICS}
    curves = _learning_curves({"": [histories]}, (TRAIN, VALIDATION))
    return replace(curves, rates=rate_curves([epoch.rates for epoch in epochs]))


def condition_curves(runs: Sequence[RunRecord], conditions: Sequence[str]) -> LearningCurves:
    """Return the mean and range over seeds of each condition's validation curves.

    Training metrics are computed with dropout on, so conditions cannot be compared by them.

    Args:
        runs: Finished runs with the history of val_loss and val_accuracy; a run without
            a metric's history is left out of that metric.
        conditions: In the order of drawing; those without any history are left out.
    """
    histories = {c: [run.history for run in runs if run.condition == c] for c in conditions}
    return _learning_curves(histories, (VALIDATION,))


def _learning_curves(
    histories: Mapping[str, Sequence[Mapping[str, Sequence[float]]]], parts: Sequence[str]
) -> LearningCurves:
    """Return the curves of each condition, of `parts`, from its runs' values by metric and epoch."""
    panels: dict[str, tuple[Curve, ...]] = {}
    for panel, metrics in METRIC_PARTS.items():
        curves = []
        for condition, runs in histories.items():
            for part, metric in zip((TRAIN, VALIDATION), metrics, strict=True):
                values = [run[metric] for run in runs if run.get(metric)]
                if values and part in parts:
                    curves.append(_curve(condition, part, values))
        panels[panel] = tuple(curves)
    return LearningCurves(loss=panels["loss"], accuracy=panels["accuracy"])


def _curve(condition: str, part: str, values: Sequence[Sequence[float]]) -> Curve:
    """Summarise one metric over runs, up to the last epoch that all of them have."""
    num_epochs = min(len(run) for run in values)
    by_run = np.array([run[:num_epochs] for run in values], dtype=np.float64)
    return Curve(
        condition=condition,
        part=part,
        num_seeds=len(values),
        mean=tuple(by_run.mean(axis=0).tolist()),
        low=tuple(by_run.min(axis=0).tolist()),
        high=tuple(by_run.max(axis=0).tolist()),
    )


@default_settings()
def draw_curves(data: LearningCurves, theme: Theme = LIGHT, *, side_by_side: bool = False) -> Figure:
    """Draw the loss and the accuracy panel, one above the other or `side_by_side`, above the rates."""
    panels: list[Any] = [["loss", "accuracy"]] if side_by_side else [["loss"], ["accuracy"]]
    heights = [2.8] * len(panels)
    if data.rates:
        panels.append(["rates"] * len(panels[0]))
        heights.append(RATES_HEIGHT)
    conditions = list(dict.fromkeys(curve.condition for curve in data.loss + data.accuracy))
    figure = new_figure(sum(heights) + 0.2 * (1 + len(conditions)), theme, width=WIDTH * len(panels[0]))
    axes_of = figure.subplot_mosaic(panels, height_ratios=heights)
    loss_axes, accuracy_axes = axes_of["loss"], axes_of["accuracy"]
    if data.rates:
        draw_rates(axes_of["rates"], data.rates, theme)
    loss, accuracy = (
        ("Loss", "Accuracy") if conditions == [""] else ("Validation loss", "Validation accuracy")
    )
    _draw_panel(loss_axes, data.loss, conditions, theme)
    style_axes(loss_axes, theme, title=loss, xlabel="epoch", ylabel="cross-entropy (nats)")
    _draw_panel(accuracy_axes, data.accuracy, conditions, theme)
    style_axes(accuracy_axes, theme, title=accuracy, xlabel="epoch", ylabel="accuracy (%)")
    accuracy_axes.yaxis.set_major_formatter(percent())
    for axes in (loss_axes, accuracy_axes):
        axes.xaxis.set_major_locator(whole_numbers())
    handles = _legend_handles(data, conditions, theme)
    legend = figure.legend(handles=handles, loc="outside lower center", fontsize=8, handlelength=3)
    style_legend(legend, theme)
    return figure


def _look(condition: str, part: str, conditions: Sequence[str], theme: Theme) -> dict[str, Any]:
    """Return how the line of a condition's part is drawn: colour and marker, line and filling."""
    # One run has no conditions to tell apart: its two parts take the colours instead.
    index = conditions.index(condition) if condition else int(part == TRAIN)
    color, marker = series_style(index, theme)
    is_train = part == TRAIN
    return {
        "color": color,
        "marker": marker,
        "markersize": 4,
        "linewidth": 1.5,
        "linestyle": "--" if is_train else "-",
        "markerfacecolor": theme.background if is_train else color,
    }


def _draw_panel(axes: Axes, curves: Sequence[Curve], conditions: Sequence[str], theme: Theme) -> None:
    for curve in curves:
        look = _look(curve.condition, curve.part, conditions, theme)
        axes.plot(curve.epochs, curve.mean, **look)
        if curve.num_seeds > 1:
            axes.fill_between(
                curve.epochs, curve.low, curve.high, color=look["color"], alpha=0.2, linewidth=0
            )
    later = [end for curve in curves for ends in (curve.low, curve.high) for end in ends[1:]]
    if conditions != [""] and curves and min(len(curve.mean) for curve in curves) >= EPOCHS_TO_ZOOM:
        room = 0.08 * (max(later) - min(later)) or 0.01
        axes.set_ylim(min(later) - room, max(later) + room)


def _legend_handles(data: LearningCurves, conditions: Sequence[str], theme: Theme) -> list[Line2D]:
    """Return one entry for each condition, or for each part of one run."""
    if conditions == [""]:
        return [
            Line2D([], [], label=part, **_look("", part, conditions, theme)) for part in (TRAIN, VALIDATION)
        ]
    entries = []
    for condition in conditions:
        num_seeds = max(c.num_seeds for c in data.loss + data.accuracy if c.condition == condition)
        seeds = "1 seed" if num_seeds == 1 else f"mean and range of {num_seeds} seeds"
        look = _look(condition, VALIDATION, conditions, theme)
        entries.append(Line2D([], [], label=f"{plain(condition)}: {seeds}", **look))
    return entries
