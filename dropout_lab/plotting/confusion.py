"""Confusion matrix of one trained model, each row as a share of its true class."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure

from dropout_lab.plotting.style import (
    BLACK,
    LIGHT,
    WHITE,
    Theme,
    default_settings,
    new_figure,
    percent,
    style_axes,
)
from dropout_lab.records import Evaluation, IntArray


@dataclass(frozen=True, kw_only=True)
class ConfusionData:
    """What a confusion-matrix plot shows.

    Attributes:
        counts: True classes as rows, predicted classes as columns.
        shares: `counts` over the sum of their row, 0 to 1; zeros where a class has no examples.
    """

    class_names: tuple[str, ...]
    counts: IntArray
    shares: npt.NDArray[np.float64]
    accuracy: float


def confusion_data(evaluation: Evaluation, class_names: Sequence[str]) -> ConfusionData:
    """Return the counts and row shares of `evaluation`.

    Raises:
        ValueError: The number of names is not the number of classes.
    """
    counts = evaluation.confusion_matrix
    if counts.shape != (len(class_names), len(class_names)):
        raise ValueError(
            f"expected a name for each of {counts.shape[0]} classes, received {len(class_names)}"
        )
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros(counts.shape, dtype=np.float64), where=totals > 0)
    return ConfusionData(
        class_names=tuple(class_names), counts=counts, shares=shares, accuracy=evaluation.measures["accuracy"]
    )


@default_settings()
def draw_confusion(data: ConfusionData, theme: Theme = LIGHT) -> Figure:
    """Draw the matrix with the count in every cell that is not empty."""
    figure = new_figure(5.4, theme, width=6.2)
    axes = figure.add_subplot()
    # The square root tells confusions of 1 and of 10 % apart, which the diagonal would drown.
    image = axes.imshow(data.shares, cmap=theme.colormap, norm=PowerNorm(0.5, vmin=0, vmax=1))
    style_axes(
        axes,
        theme,
        title=f"Test images by class, accuracy {data.accuracy:.2%}",
        xlabel="predicted class",
        ylabel="true class",
    )
    axes.grid(visible=False)
    ticks = range(len(data.class_names))
    axes.set_xticks(ticks, data.class_names, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(ticks, data.class_names)
    colors = image.to_rgba(data.shares)
    for row, column in np.argwhere(data.counts > 0).tolist():
        red, green, blue, _ = colors[row, column]
        is_dark = 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.45
        axes.text(
            column, row, str(data.counts[row, column]), ha="center", va="center", fontsize=7.5,
            color=WHITE if is_dark else BLACK, in_layout=False,
        )  # fmt: skip
    bar = figure.colorbar(image, ax=axes, shrink=0.8, format=percent())
    bar.set_label("share of the true class (%)", fontsize=9, color=theme.foreground)
    bar.ax.tick_params(labelsize=8.5, colors=theme.foreground)
    bar.outline.set_visible(False)
    return figure
