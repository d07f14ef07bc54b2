"""Risk-coverage curves: the error rate on the most confident predictions, by how many these are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from dropout_lab.evaluation.metrics import format_value
from dropout_lab.plotting.style import (
    LIGHT,
    Theme,
    default_settings,
    new_figure,
    percent,
    plain,
    series_style,
    style_axes,
    style_legend,
)

Floats = npt.NDArray[np.floating[Any]]

COVERAGES = np.linspace(0.01, 1, 100)
"""Coverages that curves are drawn at; below, the error rate of few predictions is noise."""


@dataclass(frozen=True, kw_only=True)
class RiskCoverageCurve:
    """The predictions of one name, over its runs.

    Attributes:
        name: Condition, or way of prediction.
        mean, low, high: Mean, lowest and highest error rate of the runs at each of `COVERAGES`.
        area: Area under the curve, the mean over runs.
    """

    name: str
    num_runs: int
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    area: float


def risk_coverage_curves(
    risks: Mapping[str, Sequence[Floats]],
) -> tuple[RiskCoverageCurve, ...]:
    """Return the curves to draw.

    Args:
        risks: By name, for each run the error rate on the k most confident of its n predictions, for k from 1
            to n: (n,), as `evaluation.selective.risk_coverage` returns it.
    """
    return tuple(_curve(name, runs) for name, runs in risks.items() if runs)


def _curve(name: str, runs: Sequence[Floats]) -> RiskCoverageCurve:
    # The number of answered examples is rounded up, so that it is never 0.
    shown = np.array([run[np.ceil(COVERAGES * len(run) - 1e-9).astype(int) - 1] for run in runs])
    return RiskCoverageCurve(
        name=name,
        num_runs=len(runs),
        mean=tuple(shown.mean(axis=0).tolist()),
        low=tuple(shown.min(axis=0).tolist()),
        high=tuple(shown.max(axis=0).tolist()),
        area=float(np.mean([np.mean(run) for run in runs])),
    )


@default_settings()
def draw_risk_coverage(curves: Sequence[RiskCoverageCurve], theme: Theme = LIGHT) -> Figure:
    """Draw the mean error rate by coverage, with a band from the lowest to the highest run."""
    figure = new_figure(3.2, theme)
    axes = figure.add_subplot()
    for index, curve in enumerate(curves):
        color, marker = series_style(index, theme)
        label = f"{plain(curve.name)} (area {format_value('aurc', curve.area)})"
        axes.plot(
            COVERAGES, curve.mean, color=color, marker=marker, markevery=(9, 10), markersize=4,
            linewidth=1.4, label=label,
        )  # fmt: skip
        if curve.num_runs > 1:
            axes.fill_between(COVERAGES, curve.low, curve.high, color=color, alpha=0.2, linewidth=0)
    style_axes(
        axes,
        theme,
        title="Errors of the most confident predictions",
        xlabel="coverage (% of the test set)",
        ylabel="error rate (%)",
    )
    axes.set_xlim(0, 1)
    axes.set_ylim(bottom=0)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(percent())
    style_legend(axes.legend(fontsize=8, loc="upper left"), theme)
    return figure


def describe(curves: Sequence[RiskCoverageCurve]) -> str:
    """Return in words the areas under the curves."""
    areas = ", ".join(f"{curve.name} {format_value('aurc', curve.area)}" for curve in curves)
    return f"Area under the curve: {areas}."
