"""Histograms of the predictive entropy on test examples and on inputs from outside the distribution."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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
)

Floats = npt.NDArray[np.floating[Any]]

NUM_BINS = 25


@dataclass(frozen=True, kw_only=True)
class EntropyHistogram:
    """The entropies on one set of inputs.

    Attributes:
        name: Name of the set.
        shares: Fraction of the inputs in each of `NUM_BINS` bins of equal width.
        median: In nats.
    """

    name: str
    shares: tuple[float, ...]
    median: float


@dataclass(frozen=True, kw_only=True)
class EntropyHistograms:
    """What the plot shows.

    Attributes:
        highest: The highest possible entropy, of equally probable classes, in nats: the end of the last bin.
        panels: For each way of prediction, by name, the histogram of each set of inputs.
    """

    highest: float
    panels: Mapping[str, tuple[EntropyHistogram, ...]]


def entropy_histograms(entropies: Mapping[str, Mapping[str, Floats]], num_classes: int) -> EntropyHistograms:
    """Return the histograms to draw.

    Args:
        entropies: By way of prediction, then by set of inputs: predictive entropies, (n,), in nats.
        num_classes: Number of classes.
    """
    highest = math.log(num_classes)
    return EntropyHistograms(
        highest=highest,
        panels={
            rule: tuple(_histogram(name, values, highest) for name, values in sets.items())
            for rule, sets in entropies.items()
        },
    )


def _histogram(name: str, values: Floats, highest: float) -> EntropyHistogram:
    # Rounding can lift an entropy above the highest.
    counts, _ = np.histogram(np.minimum(values, highest), bins=NUM_BINS, range=(0, highest))
    return EntropyHistogram(
        name=name, shares=tuple((counts / len(values)).tolist()), median=float(np.median(values))
    )


@default_settings()
def draw_entropy_histograms(data: EntropyHistograms, theme: Theme = LIGHT) -> Figure:
    """Draw a panel for each way of prediction, with a step line for each set of inputs."""
    figure = new_figure(2.5 * len(data.panels) + 0.3, theme)
    all_axes = figure.subplots(len(data.panels), 1, squeeze=False, sharex=True, sharey=True)[:, 0]
    highest_share = max(max(one.shares) for panel in data.panels.values() for one in panel)
    edges = np.linspace(0, data.highest, NUM_BINS + 1)
    for axes, (rule, histograms) in zip(all_axes, data.panels.items(), strict=True):
        for index, one in enumerate(histograms):
            color, _ = series_style(index, theme)
            label = f"{plain(one.name)} (median {one.median:.2f})"
            axes.stairs(
                one.shares, edges, color=color, label=label, linewidth=1.6,
                fill=index == 0, alpha=0.45 if index == 0 else 1, linestyle=_LINES[index % len(_LINES)],
            )  # fmt: skip
        style_axes(
            axes,
            theme,
            title=plain(rule),
            xlabel="predictive entropy (nats)" if axes is all_axes[-1] else "",
            ylabel="inputs (%)",
        )
        axes.yaxis.set_major_formatter(percent())
        axes.set_xlim(0, data.highest)
        axes.set_ylim(0, 1.6 * highest_share)  # room for the legend
        style_legend(axes.legend(fontsize=7.5, loc="upper center", ncols=2), theme)
    return figure


_LINES = ("-", "-", "--", "-.", ":")
"""Lines tell sets apart without colour."""


def describe(data: EntropyHistograms) -> str:
    """Return in words the median entropies."""
    return " ".join(
        f"Median entropy in nats, {rule}: {_medians(histograms)}." for rule, histograms in data.panels.items()
    )


def _medians(histograms: Sequence[EntropyHistogram]) -> str:
    return ", ".join(f"{one.name} {one.median:.2f}" for one in histograms)
