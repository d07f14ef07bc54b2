"""The plots that are kept with each run."""

from collections.abc import Sequence

from dropout_lab.plotting.confusion import confusion_data, draw_confusion
from dropout_lab.plotting.curves import draw_curves, run_curves
from dropout_lab.plotting.style import render
from dropout_lab.records import EpochMetrics, Evaluation


def draw_run(
    epochs: Sequence[EpochMetrics], test: Evaluation, class_names: Sequence[str]
) -> dict[str, bytes]:
    """Return the PNG plots of one run by their artifact path.

    Args:
        epochs: All epochs of the run, in order.
        test: Figures on the test set.
        class_names: Name of each class, by class number.

    Raises:
        ValueError: The number of names is not the number of classes.
    """
    return {
        "plots/learning_curves.png": render(draw_curves(run_curves(epochs), side_by_side=True), "png"),
        "plots/confusion_matrix.png": render(draw_confusion(confusion_data(test, class_names)), "png"),
    }
