"""Metrics on shifted images against the severity of the shift, by condition."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dropout_lab.evaluation.metrics import format_value
from dropout_lab.plotting.metric_axes import format_ticks, metric_label
from dropout_lab.plotting.style import (
    LIGHT,
    Theme,
    default_settings,
    new_figure,
    plain,
    series_style,
    style_axes,
    style_legend,
)

COLUMNS = 2
MEAN = "mean of all shifts"


@dataclass(frozen=True, kw_only=True)
class SeverityCurve:
    """One condition under one shift; the first value is that of the unchanged images.

    Attributes:
        mean, low, high: Mean, lowest and highest value of the seeds, by severity from 0 on.
    """

    condition: str
    num_seeds: int
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class SeverityCurves:
    """What the plot shows: for each shift, by name, a curve of each condition.

    Attributes:
        measure: A measure of class probabilities, such as ``accuracy``.
    """

    measure: str
    panels: Mapping[str, tuple[SeverityCurve, ...]]


def severity_curves(
    metrics: Mapping[str, Sequence[Mapping[str, float]]], measure: str = "accuracy"
) -> SeverityCurves | None:
    """Return the curves of all shifts that were measured; None if none was.

    Args:
        metrics: For each condition the metrics of its runs, by name: ``test_accuracy`` and
            ``shift_accuracy_NAME_SEVERITY``. Runs that lack one of a shift's are left out of that shift.
        measure: A measure of class probabilities, such as ``accuracy``.
    """
    severities = _severities(metrics, f"shift_{measure}_")
    names = {
        shift: [[f"test_{measure}"], *([f"shift_{measure}_{shift}_{number}"] for number in numbers)]
        for shift, numbers in severities.items()
    }
    if len(names) > 1 and len(set(severities.values())) == 1:
        by_severity = zip(*names.values(), strict=True)
        names[MEAN] = [[name for (name,) in same_severity] for same_severity in by_severity]
    panels = {shift: _panel(metrics, by_severity) for shift, by_severity in names.items()}
    shown = {shift: curves for shift, curves in panels.items() if curves}
    return SeverityCurves(measure=measure, panels=shown) if shown else None


def _severities(
    metrics: Mapping[str, Sequence[Mapping[str, float]]], prefix: str
) -> dict[str, tuple[int, ...]]:
    """Return the measured severities of each shift, in the order in which shifts were logged."""
    found: dict[str, set[int]] = {}
    for name in (name for runs in metrics.values() for run in runs for name in run):
        shift, _, severity = name.removeprefix(prefix).rpartition("_")
        if name.startswith(prefix) and severity.isdecimal():
            found.setdefault(shift, set()).add(int(severity))
    return {shift: tuple(sorted(severities)) for shift, severities in found.items()}


def _panel(
    metrics: Mapping[str, Sequence[Mapping[str, float]]], names: Sequence[Sequence[str]]
) -> tuple[SeverityCurve, ...]:
    """Return the curves of a panel, from the names of the metrics that are averaged at each severity."""
    needed = {name for group in names for name in group}
    complete = {
        condition: [run for run in runs if needed <= run.keys()] for condition, runs in metrics.items()
    }
    return tuple(
        _curve(
            condition, [[float(np.mean([run[name] for name in group])) for group in names] for run in runs]
        )
        for condition, runs in complete.items()
        if runs
    )


def _curve(condition: str, values: Sequence[Sequence[float]]) -> SeverityCurve:
    by_run = np.array(values, dtype=np.float64)
    return SeverityCurve(
        condition=condition,
        num_seeds=len(values),
        mean=tuple(by_run.mean(axis=0).tolist()),
        low=tuple(by_run.min(axis=0).tolist()),
        high=tuple(by_run.max(axis=0).tolist()),
    )


@default_settings()
def draw_severity(data: SeverityCurves, theme: Theme = LIGHT) -> Figure:
    """Draw a panel for each shift: the mean over seeds by severity, with a band from lowest to highest."""
    metric = f"test_{data.measure}"
    conditions = list(dict.fromkeys(one.condition for panel in data.panels.values() for one in panel))
    rows = -(-len(data.panels) // COLUMNS)
    figure = new_figure(1.9 * rows + 0.4 + 0.2 * len(conditions), theme, width=5.4)
    all_axes = figure.subplots(rows, COLUMNS, squeeze=False, sharey=True).flat
    handles: dict[str, Line2D] = {}
    for index, ((shift, curves), axes) in enumerate(zip(data.panels.items(), all_axes, strict=False)):
        for curve in curves:
            color, marker = series_style(conditions.index(curve.condition), theme)
            severities = range(len(curve.mean))
            label = f"{plain(curve.condition)}: {_seeds(curve.num_seeds)}"
            (line,) = axes.plot(
                severities, curve.mean, color=color, marker=marker, markersize=4, linewidth=1.4, label=label
            )
            axes.fill_between(severities, curve.low, curve.high, color=color, alpha=0.2, linewidth=0)
            handles.setdefault(curve.condition, line)
        style_axes(
            axes,
            theme,
            title=plain(shift),
            xlabel="severity (0: unchanged)" if index + COLUMNS >= len(data.panels) else "",
            ylabel=metric_label(metric) if index % COLUMNS == 0 else "",
        )
        axes.set_xticks(range(max(len(curve.mean) for curve in curves)))
        format_ticks(axes.yaxis, metric)
    for axes in all_axes:
        axes.set_axis_off()
    legend = figure.legend(handles=list(handles.values()), loc="outside lower center", fontsize=8)
    style_legend(legend, theme)
    return figure


def _seeds(num_seeds: int) -> str:
    return "1 seed" if num_seeds == 1 else f"mean and range of {num_seeds} seeds"


def describe(data: SeverityCurves) -> str:
    """Return in words the values at the highest severity of each shift."""
    metric = f"test_{data.measure}"
    return "; ".join(
        f"{shift}: "
        + ", ".join(
            f"{one.condition} {format_value(metric, one.mean[0])} to {format_value(metric, one.mean[-1])}"
            for one in curves
        )
        for shift, curves in data.panels.items()
    )
