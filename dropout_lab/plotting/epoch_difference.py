"""Difference by epoch: validation accuracy of each condition minus the reference's, paired by seed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

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
    whole_numbers,
)
from dropout_lab.records import RunRecord
from dropout_lab.statistics.difference import paired_t_test

METRIC = "val_accuracy"
EPOCH_CONFIDENCE = 0.95
"""Level of the band at each epoch."""


@dataclass(frozen=True, kw_only=True)
class EpochDifference:
    """One condition's paired difference from the reference by epoch.

    Attributes:
        number: Number of the condition in the order of drawing.
        mean: By epoch from 1.
        low, high: Ends of the interval (paired t) by epoch; both the mean if there is one pair, or if the
            differences do not vary.
    """

    condition: str
    number: int
    num_pairs: int
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


def epoch_differences(
    runs: Sequence[RunRecord], conditions: Sequence[str], reference: str
) -> tuple[EpochDifference, ...]:
    """Return the paired difference in validation accuracy of every condition but `reference`.

    Args:
        runs: Finished runs with the history of val_accuracy; what has no twin at its seed is left out.
        conditions: In the order of drawing.
        reference: The condition that is subtracted.
    """
    histories = {(run.condition, run.seed): run.history.get(METRIC, ()) for run in runs}
    found = []
    for number, condition in enumerate(conditions):
        pairs = [
            (own, histories[reference, seed])
            for (name, seed), own in sorted(histories.items())
            if name == condition != reference and own and histories.get((reference, seed))
        ]
        if pairs:
            num_epochs = min(len(history) for pair in pairs for history in pair)
            values = np.array([[side[:num_epochs] for side in pair] for pair in pairs], dtype=np.float64)
            ends = [_interval(at_epoch) for at_epoch in (values[:, 0] - values[:, 1]).T]
            found.append(
                EpochDifference(
                    condition=condition,
                    number=number,
                    num_pairs=len(pairs),
                    mean=tuple((values[:, 0] - values[:, 1]).mean(axis=0).tolist()),
                    low=tuple(low for low, _ in ends),
                    high=tuple(high for _, high in ends),
                )
            )
    return tuple(found)


def _interval(differences: npt.NDArray[np.float64]) -> tuple[float, float]:
    if np.ptp(differences) == 0:
        return float(differences[0]), float(differences[0])
    return paired_t_test(differences).interval(EPOCH_CONFIDENCE)


@default_settings()
def draw_epoch_differences(data: Sequence[EpochDifference], reference: str, theme: Theme = LIGHT) -> Figure:
    """Draw the mean difference by epoch with its band."""
    figure = new_figure(2.9 + 0.2 * len(data), theme)
    axes = figure.add_subplot()
    axes.axhline(0, color=theme.foreground, linewidth=1)
    for one in data:
        color, marker = series_style(one.number, theme)
        epochs = range(1, len(one.mean) + 1)
        pairs = "1 pair" if one.num_pairs == 1 else f"{one.num_pairs} pairs"
        axes.plot(
            epochs, one.mean, color=color, marker=marker, markersize=4.5, linewidth=1.5,
            label=f"{plain(one.condition)} ({pairs})",
        )  # fmt: skip
        axes.fill_between(epochs, one.low, one.high, color=color, alpha=0.2, linewidth=0)
    largest = max(abs(mean) for one in data for mean in one.mean)
    low, high = axes.get_ylim()
    if largest:
        # With 2 pairs a band is 13 standard errors wide, and would make all lines flat.
        axes.set_ylim(max(low, -4 * largest), min(high, 4 * largest))
    style_axes(
        axes, theme, title=f"Validation accuracy: difference from {plain(reference, 20)}", xlabel="epoch",
        ylabel="percentage points",
    )  # fmt: skip
    axes.yaxis.set_major_formatter(percent())
    axes.xaxis.set_major_locator(whole_numbers())
    style_legend(figure.legend(loc="outside lower center", fontsize=8), theme)
    return figure
