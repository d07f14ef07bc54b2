"""Reliability diagram: how often predictions of a confidence are right, by condition."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from dropout_lab.evaluation.calibration import bin_sums
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
from dropout_lab.records import RunRecord

TestPredictions = tuple[npt.NDArray[np.float32], npt.NDArray[np.uint8]]
"""Class probabilities on the test set, (num_examples, num_classes), and the true labels, (num_examples,)."""


@dataclass(frozen=True, kw_only=True)
class ReliabilityCurve:
    """One condition, its runs' test predictions taken together; bins without predictions are left out.

    Attributes:
        confidence: Mean confidence (highest class probability) of each bin, 0 to 1.
        accuracy: Fraction of each bin's predictions that are right.
        share: Each bin's fraction of all predictions.
        ece: Expected calibration error, the mean over runs: the logged `test_ece`, or computed from the
            predictions if a run has not logged it.
    """

    condition: str
    num_seeds: int
    confidence: tuple[float, ...]
    accuracy: tuple[float, ...]
    share: tuple[float, ...]
    ece: float


def reliability_curves(
    runs: Sequence[RunRecord], predictions: Mapping[str, TestPredictions], conditions: Sequence[str]
) -> tuple[ReliabilityCurve, ...]:
    """Bin the test predictions of each condition by confidence.

    The 15 bins (i/15, (i+1)/15] are of equal width. Source of diagram and error: Guo et al., "On Calibration
    of Modern Neural Networks", ICML 2017, section 2 and equation 3.

    Args:
        predictions: Test predictions by run id; runs without any are left out.
        conditions: In the order of drawing; those without predictions are left out.
    """
    curves = []
    for condition in conditions:
        known = [run for run in runs if run.condition == condition and run.run_id in predictions]
        if known:
            logged = [run.metrics.get("test_ece", math.nan) for run in known]
            curves.append(_curve(condition, [predictions[run.run_id] for run in known], logged))
    return tuple(curves)


def _curve(
    condition: str, predictions: Sequence[TestPredictions], logged: Sequence[float]
) -> ReliabilityCurve:
    sums = np.array([bin_sums(*one) for one in predictions])
    counts, confidences, hits = sums.sum(axis=0)
    filled = counts > 0
    errors = np.abs(sums[:, 1] - sums[:, 2]).sum(axis=1) / sums[:, 0].sum(axis=1)
    return ReliabilityCurve(
        condition=condition,
        num_seeds=len(predictions),
        confidence=tuple((confidences[filled] / counts[filled]).tolist()),
        accuracy=tuple((hits[filled] / counts[filled]).tolist()),
        share=tuple((counts[filled] / counts.sum()).tolist()),
        # Probabilities are logged as float16: the metric, logged before, is what all tables show.
        ece=float(np.mean(logged) if np.all(np.isfinite(logged)) else errors.mean()),
    )


@default_settings()
def draw_reliability(curves: Sequence[ReliabilityCurve], theme: Theme = LIGHT) -> Figure:
    """Draw accuracy against confidence, and below it how many predictions each bin has."""
    figure = new_figure(4.9, theme)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[2.6, 1])
    top.plot([0, 1], [0, 1], color=theme.muted, linestyle=":", linewidth=1.4, label="perfectly calibrated")
    for index, curve in enumerate(curves):
        color, marker = series_style(index, theme)
        look = {"color": color, "marker": marker, "markersize": 4.5, "linewidth": 1.4}
        label = f"{plain(curve.condition)} (error {format_value('test_ece', curve.ece)})"
        top.plot(curve.confidence, curve.accuracy, label=label, **look)
        bottom.plot(curve.confidence, curve.share, **look)
    style_axes(top, theme, title="Reliability on the test set", xlabel="", ylabel="accuracy (%)")
    style_axes(bottom, theme, title="", xlabel="confidence (%)", ylabel="images (%)")
    bottom.set_yscale("log")
    for axis in (top.yaxis, bottom.yaxis, bottom.xaxis):
        axis.set_major_formatter(percent())
    style_legend(top.legend(fontsize=8), theme)
    return figure
