"""Paired seeds: the primary metric of every run, joined by seed, and the differences with their interval."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dropout_lab.comparison.results import Comparison
from dropout_lab.evaluation.metrics import format_difference, format_value, metric_info
from dropout_lab.plotting.metric_axes import format_ticks, limit_axis, metric_label, name_sides
from dropout_lab.plotting.style import (
    LIGHT,
    Theme,
    default_settings,
    new_figure,
    plain,
    series_style,
    style_axes,
)
from dropout_lab.plotting.tooltips import add_tooltips, mean_words, seed_words

MAX_CONDITIONS = 8
MAX_LETTERS = 40
"""Most letters of all conditions that stand beside each other below an axis; more would overlap."""


@dataclass(frozen=True, kw_only=True)
class PairedDifference:
    """The difference of one condition from the reference; interval ends are NaN if there is none.

    Attributes:
        by_seed: Paired differences by seed, in order of seed.
        ci_low, ci_high: Adjusted interval, as the verdict uses it.
    """

    condition: str
    by_seed: Mapping[int, float]
    mean: float
    ci_low: float
    ci_high: float


@dataclass(frozen=True, kw_only=True)
class PairedSeeds:
    """What a paired-seeds plot shows.

    Attributes:
        values: The metric by seed, for each condition in order, the reference first.
        margin: Differences within it are called equivalent; None if none is known.
        higher_is_better: None if neither direction is known to be good.
    """

    metric: str
    reference: str
    values: Mapping[str, Mapping[int, float]]
    differences: tuple[PairedDifference, ...]
    margin: float | None
    higher_is_better: bool | None


def paired_seeds_data(comparison: Comparison) -> PairedSeeds | None:
    """Return the primary metric by seed; None if no seed is paired or there are more than 8 conditions."""
    metric = comparison.primary
    paired = [
        one for one in comparison.differences if one.metric == metric and one.paired and one.differences
    ]
    if not paired or len(paired) >= MAX_CONDITIONS:
        return None
    conditions = [comparison.reference, *(one.condition for one in paired)]
    return PairedSeeds(
        metric=metric,
        reference=comparison.reference,
        values={name: comparison.summary(name, metric).values for name in conditions},
        differences=tuple(
            PairedDifference(
                condition=one.condition,
                by_seed=one.differences,
                mean=one.mean_difference,
                ci_low=one.adjusted_ci_low,
                ci_high=one.adjusted_ci_high,
            )
            for one in paired
        ),
        margin=paired[0].margin,
        higher_is_better=metric_info(metric).higher_is_better,
    )


@default_settings()
def draw_paired_seeds(data: PairedSeeds, theme: Theme = LIGHT) -> Figure:
    """Draw the values of each seed as a line, and below them the differences with mean and interval."""
    heights = [2.6, 1.0 + 0.55 * len(data.differences)]
    figure = new_figure(sum(heights) + 0.3, theme)
    top, bottom = figure.subplots(2, 1, height_ratios=heights)
    _draw_values(top, data, theme)
    _draw_differences(bottom, data, theme)
    return figure


def _draw_values(axes: Axes, data: PairedSeeds, theme: Theme) -> None:
    places = range(len(data.values))
    for seed in sorted({seed for values in data.values.values() for seed in values}):
        line = [values.get(seed, float("nan")) for values in data.values.values()]
        axes.plot(places, line, color=theme.muted, linewidth=1, alpha=0.6, zorder=1)
    for place, (name, values) in zip(places, data.values.items(), strict=True):
        color, marker = series_style(place, theme)
        shown = {seed: value for seed, value in values.items() if isfinite(value)}
        (dots,) = axes.plot(
            [place] * len(shown), list(shown.values()), linestyle="", marker=marker, markersize=5, color=color
        )
        add_tooltips(
            dots,
            [f"{name}, seed {seed}: {format_value(data.metric, value)}" for seed, value in shown.items()],
        )
        mean = sum(shown.values()) / len(shown)
        axes.plot([place - 0.22, place - 0.08], [mean, mean], color=color, linewidth=3, solid_capstyle="butt")
    style_axes(axes, theme, title="a  One line per seed", xlabel="", ylabel=metric_label(data.metric))
    names = [plain(name, 14) for name in data.values]
    axes.set_xticks(list(places), names)
    if len("".join(names)) > MAX_LETTERS:
        axes.tick_params(axis="x", labelrotation=30)
        for label in axes.get_xticklabels():
            label.set(ha="right", rotation_mode="anchor")
    axes.set_xlim(-0.4, len(data.values) - 0.6)
    axes.grid(visible=False, axis="x")
    format_ticks(axes.yaxis, data.metric)


def _draw_differences(axes: Axes, data: PairedSeeds, theme: Theme) -> None:
    axes.axvline(0, color=theme.foreground, linewidth=1)
    if data.margin:
        axes.axvspan(-data.margin, data.margin, color=theme.muted, alpha=0.22, linewidth=0)
    for row, one in enumerate(data.differences):
        color, marker = series_style(row + 1, theme)
        (dots,) = axes.plot(
            list(one.by_seed.values()), [row - 0.22] * len(one.by_seed),
            linestyle="", marker="o", markersize=4.5, color=color, alpha=0.6,
        )  # fmt: skip
        add_tooltips(dots, seed_words(data.metric, one.condition, one.by_seed))
        if isfinite(one.ci_low) and isfinite(one.ci_high):
            axes.plot([one.ci_low, one.ci_high], [row + 0.12] * 2, color=color, linewidth=2.6)
        (mean,) = axes.plot(one.mean, row + 0.12, linestyle="", marker=marker, markersize=7, color=color)
        add_tooltips(mean, [mean_words(data.metric, one.condition, one.mean, (one.ci_low, one.ci_high))])
    xlabel = metric_label(data.metric, difference=True)
    style_axes(axes, theme, title=f"b  Difference from {plain(data.reference, 20)}", xlabel=xlabel, ylabel="")
    limit_axis(
        axes, [d for one in data.differences for d in (*one.by_seed.values(), one.mean)], data.margin or 0.0
    )
    axes.set_yticks(range(len(data.differences)), [plain(one.condition, 14) for one in data.differences])
    axes.set_ylim(len(data.differences) - 0.5, -0.6)
    axes.grid(visible=False, axis="y")
    format_ticks(axes.xaxis, data.metric)
    if data.higher_is_better is not None:
        if not data.higher_is_better:
            axes.invert_xaxis()
        name_sides(axes, "worse", "better", theme)


def describe(data: PairedSeeds) -> str:
    """Return mean, interval and the number of seeds on each side of 0, for each condition."""
    parts = []
    for one in data.differences:
        seeds = one.by_seed.values()
        above, below = sum(d > 0 for d in seeds), sum(d < 0 for d in seeds)
        parts.append(
            f"{one.condition}: mean {format_difference(data.metric, one.mean)}, "
            f"{above} of {len(one.by_seed)} seeds higher, {below} lower"
        )
    return "; ".join(parts)
