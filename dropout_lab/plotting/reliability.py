"""Reliability diagram: how often predictions of a confidence are right, by condition."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
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
from dropout_lab.records import FloatArray, IntArray, RunRecord

TestPredictions = tuple[FloatArray, IntArray]
"""Class probabilities on the test set, (num_examples, num_classes), and the true labels, (num_examples,)."""


MIN_IMAGES = 20
"""Bins with fewer test images per run are not drawn: their accuracy is noise."""
NUM_BINS = 15


@dataclass(frozen=True, kw_only=True)
class ReliabilityBin:
    """Predictions of similar confidence.

    Attributes:
        confidence: Mean confidence (highest class probability), 0 to 1.
        accuracy: Fraction of the predictions that are right.
        share: Fraction of all predictions.
        num_images: Test images in the bin, mean over the runs.
    """

    confidence: float
    accuracy: float
    share: float
    num_images: float


@dataclass(frozen=True, kw_only=True)
class ReliabilityCurve:
    """One condition, its runs' test predictions taken together; bins without predictions are left out.

    Attributes:
        bins: In order of confidence.
        ece: Expected calibration error, the mean over runs: the logged `test_ece`, or computed from the
            predictions if a run has not logged it.
    """

    condition: str
    num_seeds: int
    bins: tuple[ReliabilityBin, ...]
    ece: float

    @property
    def mean_confidence(self) -> float:
        """Mean confidence of all predictions."""
        return sum(one.share * one.confidence for one in self.bins)

    @property
    def mean_accuracy(self) -> float:
        """Fraction of all predictions that are right."""
        return sum(one.share * one.accuracy for one in self.bins)


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


def named_curves(predictions: Mapping[str, Sequence[TestPredictions]]) -> tuple[ReliabilityCurve, ...]:
    """Bin predictions that have a name other than a condition, such as the way of prediction.

    Args:
        predictions: Test predictions of one or more runs by name, in the order of drawing.
    """
    return tuple(_curve(name, runs, [math.nan] * len(runs)) for name, runs in predictions.items() if runs)


def _curve(
    condition: str, predictions: Sequence[TestPredictions], logged: Sequence[float]
) -> ReliabilityCurve:
    sums = np.array([bin_sums(*one) for one in predictions])
    counts, confidences, hits = sums.sum(axis=0)
    errors = np.abs(sums[:, 1] - sums[:, 2]).sum(axis=1) / sums[:, 0].sum(axis=1)
    return ReliabilityCurve(
        condition=condition,
        num_seeds=len(predictions),
        bins=tuple(
            ReliabilityBin(
                confidence=float(confidence / count),
                accuracy=float(hit / count),
                share=float(count / counts.sum()),
                num_images=float(count / len(predictions)),
            )
            for count, confidence, hit in zip(counts, confidences, hits, strict=True)
            if count
        ),
        # Probabilities are logged as float16: the metric, logged before, is what all tables show.
        ece=float(np.mean(logged) if np.all(np.isfinite(logged)) else errors.mean()),
    )


@default_settings()
def draw_reliability(curves: Sequence[ReliabilityCurve], theme: Theme = LIGHT) -> Figure:
    """Draw accuracy minus confidence by confidence, and below it how many predictions each bin has."""
    figure = new_figure(4.4 + 0.2 * len(curves), theme)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[2, 1])
    top.axhline(0, color=theme.foreground, linewidth=1)
    width = 0.8 / NUM_BINS / len(curves)
    for index, curve in enumerate(curves):
        color, marker = series_style(index, theme)
        label = f"{plain(curve.condition)} (error {format_value('test_ece', curve.ece)})"
        shown = [bin_ for bin_ in curve.bins if bin_.num_images >= MIN_IMAGES]
        top.plot(
            [one.confidence for one in shown], [one.accuracy - one.confidence for one in shown],
            color=color, marker=marker, markersize=4.5, linewidth=1.4, label=label,
        )  # fmt: skip
        offset = (index - (len(curves) - 1) / 2) * width
        places = [one.confidence + offset for one in curve.bins]
        bottom.bar(places, [one.share for one in curve.bins], width=width, color=color)
    style_axes(
        top, theme, title="Reliability on the test set", xlabel="", ylabel="accuracy - confidence (points)"
    )
    style_axes(bottom, theme, title="", xlabel="confidence (%)", ylabel="images (%)")
    for axis in (top.yaxis, bottom.yaxis, bottom.xaxis):
        axis.set_major_formatter(percent())
    # In the axes it would hide a curve or one of the two words.
    style_legend(figure.legend(handles=top.get_lines()[1:], loc="outside lower center", fontsize=8), theme)
    top.margins(y=0.2)  # room for the two words
    for place, text in ((0.98, "underconfident"), (0.02, "overconfident")):
        top.text(
            0.02, place, text, transform=top.transAxes, fontsize=8, color=theme.muted,
            va="top" if place > 0.5 else "bottom",
        )  # fmt: skip
    return figure


def describe(curves: Sequence[ReliabilityCurve]) -> str:
    """Return in words whether each condition is over- or underconfident on average."""
    return " ".join(
        f"{curve.condition} is {_confident(curve)} on average (confidence "
        f"{format_value('accuracy', curve.mean_confidence)}, "
        f"accuracy {format_value('accuracy', curve.mean_accuracy)})."
        for curve in curves
    )


def _confident(curve: ReliabilityCurve) -> str:
    return "overconfident" if curve.mean_confidence > curve.mean_accuracy else "underconfident"
