"""Plots of a comparison that are made from test predictions."""

from collections.abc import Iterator, Mapping, Sequence

from dropout_lab.comparison.results import Comparison
from dropout_lab.evaluation.metrics import format_difference, format_value
from dropout_lab.plotting.confusion_change import ConfusionChange, confusion_changes, draw_confusion_change
from dropout_lab.plotting.plot import Plot
from dropout_lab.plotting.reliability import (
    MIN_IMAGES,
    NUM_BINS,
    TestPredictions,
    describe,
    draw_reliability,
    reliability_curves,
)

MAX_CLASSES = 20
"""A confusion matrix of more classes cannot be read."""
MAX_MATRICES = 4


def prediction_plots(
    comparison: Comparison, predictions: Mapping[str, TestPredictions], class_names: Sequence[str]
) -> Iterator[Plot]:
    """Yield the plots for which there are predictions.

    Args:
        comparison: The comparison.
        predictions: Test predictions by run ID.
        class_names: Names of the classes, by class number.
    """
    reliability = _reliability(comparison, predictions)
    if reliability is not None:
        yield reliability
    reference = comparison.reference
    changes = confusion_changes(comparison.runs, predictions, comparison.conditions, reference, class_names)
    for number, change in enumerate(changes[:MAX_MATRICES], start=1):
        if len(change.class_names) <= MAX_CLASSES:
            # A condition may be named in a way that no file can be.
            name = "confusion_change" if number == 1 else f"confusion_change-{number}"
            yield _confusion_change(change, reference, name)


def _confusion_change(change: ConfusionChange, reference: str, name: str) -> Plot:
    largest = "; ".join(
        f"{true} taken for {predicted} {format_difference('test_accuracy', value)}"
        for true, predicted, value in change.largest(3)
    )
    changed = f" Largest changes: {largest}." if largest else ""
    return Plot(
        name=name,
        title=f"Change of confusions: {change.condition}",
        caption=f"Share of each true class (row) that is predicted as each class (column), minus that of "
        f"{reference} at the same seed, mean over {change.num_pairs} pairs."
        f"{changed} Classes are not tested.",
        alt=f"Difference of confusion matrices, {change.condition} minus {reference}.{changed}",
        draw=lambda theme: draw_confusion_change(change, reference, theme),
    )


def _reliability(comparison: Comparison, predictions: Mapping[str, TestPredictions]) -> Plot | None:
    curves = reliability_curves(comparison.runs, predictions, comparison.conditions)
    if not any(one.num_images >= MIN_IMAGES for curve in curves for one in curve.bins):
        return None
    errors = [f"{curve.condition} {format_value('test_ece', curve.ece)}" for curve in curves]
    return Plot(
        name="reliability",
        title="Reliability",
        caption=f"Accuracy minus confidence of the test predictions of all seeds, in {NUM_BINS} bins by "
        f"confidence; bins of fewer than {MIN_IMAGES} images per run are left out. Below: share of each "
        f"bin. Error: expected calibration error, mean over the seeds. {describe(curves)}",
        alt=f"Reliability diagram. Expected calibration error: {', '.join(errors)}. {describe(curves)}",
        draw=lambda theme: draw_reliability(curves, theme),
    )
