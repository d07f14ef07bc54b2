"""Which confusions become more or less frequent: confusion matrices of a condition minus the reference's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from dropout_lab.plotting.reliability import TestPredictions
from dropout_lab.plotting.style import (
    BLACK,
    LIGHT,
    WHITE,
    Theme,
    default_settings,
    new_figure,
    percent,
    plain,
    style_axes,
)
from dropout_lab.records import FloatArray, IntArray, RunRecord


@dataclass(frozen=True, kw_only=True)
class ConfusionChange:
    """The change of one condition, paired by seed.

    Attributes:
        shares: Of each true class (row) the share predicted as each class (column), minus that of the
            reference at the same seed, mean over the seeds: (num_classes, num_classes), -1 to 1.
    """

    condition: str
    num_pairs: int
    class_names: tuple[str, ...]
    shares: npt.NDArray[np.float64]

    def largest(self, num: int) -> list[tuple[str, str, float]]:
        """Return the confusions that change most: true class, predicted class and change."""
        off = self.shares.copy()
        np.fill_diagonal(off, 0)
        places = np.argsort(-np.abs(off), axis=None, kind="stable")[:num]
        cells = [divmod(int(place), len(off)) for place in places]
        return [(self.class_names[r], self.class_names[c], float(off[r, c])) for r, c in cells if off[r, c]]


def confusion_changes(
    runs: Sequence[RunRecord],
    predictions: Mapping[str, TestPredictions],
    conditions: Sequence[str],
    reference: str,
    class_names: Sequence[str] = (),
) -> tuple[ConfusionChange, ...]:
    """Return the change of every condition but `reference` that has runs with predictions at its seeds.

    Args:
        runs: Finished runs; what has no twin at its seed in the reference is left out.
        predictions: Test predictions by run ID; runs without any are left out.
        conditions: In the order of drawing.
        reference: The condition that is subtracted.
        class_names: By class number; classes beyond them are called by their number.
    """
    shares = {
        (run.condition, run.seed): _shares(*predictions[run.run_id])
        for run in runs
        if run.run_id in predictions
    }
    found = []
    for condition in conditions:
        changes = [
            own - shares[reference, seed]
            for (name, seed), own in shares.items()
            if name == condition != reference and (reference, seed) in shares
        ]
        if changes:
            numbers = range(len(changes[0]))
            names = (class_names[one] if one < len(class_names) else f"class {one}" for one in numbers)
            found.append(
                ConfusionChange(
                    condition=condition,
                    num_pairs=len(changes),
                    class_names=tuple(names),
                    shares=np.mean(changes, axis=0),
                )
            )
    return tuple(found)


def _shares(probs: FloatArray, labels: IntArray) -> npt.NDArray[np.float64]:
    num_classes = probs.shape[1]
    cells = labels * num_classes + probs.argmax(axis=1)
    counts = np.bincount(cells, minlength=num_classes**2).reshape(num_classes, num_classes)
    totals = counts.sum(axis=1, keepdims=True)
    shares: npt.NDArray[np.float64] = counts / np.maximum(totals, 1)
    return shares


@default_settings()
def draw_confusion_change(data: ConfusionChange, reference: str, theme: Theme = LIGHT) -> Figure:
    """Draw the matrix, with the change in percentage points in every cell where it rounds to 0.1 or more."""
    num_classes = len(data.class_names)
    figure = new_figure(1.5 + 0.32 * num_classes, theme, width=max(4.4, 1.6 + 0.36 * num_classes))
    axes = figure.add_subplot()
    most = float(np.abs(data.shares).max()) or 1.0
    image = axes.imshow(data.shares, cmap=theme.diverging, vmin=-most, vmax=most)
    style_axes(
        axes,
        theme,
        title=f"{plain(data.condition, 18)} minus {plain(reference, 18)}",
        xlabel="predicted class",
        ylabel="true class",
    )
    axes.grid(visible=False)
    names = [plain(name, 12) for name in data.class_names]
    axes.set_xticks(range(num_classes), names, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(num_classes), names)
    colors = image.to_rgba(data.shares)
    for row, column in np.argwhere(np.abs(data.shares) >= 0.0005).tolist():
        red, green, blue, _ = colors[row, column]
        is_dark = 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.45
        axes.text(
            column, row, f"{100 * data.shares[row, column]:+.1f}", ha="center", va="center", fontsize=6.5,
            color=WHITE if is_dark else BLACK,
        )  # fmt: skip
    bar = figure.colorbar(image, ax=axes, shrink=0.8, format=percent())
    bar.set_label("change (percentage points)", fontsize=9, color=theme.foreground)
    bar.ax.tick_params(labelsize=8.5, colors=theme.foreground)
    bar.outline.set_visible(False)
    return figure
