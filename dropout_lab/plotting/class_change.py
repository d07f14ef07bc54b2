"""Which classes gain and which lose: the change of accuracy by class against the reference."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
from matplotlib.figure import Figure

from dropout_lab.evaluation.registry import CLASS_ACCURACY
from dropout_lab.plotting.metric_axes import limit_axis
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
from dropout_lab.plotting.tooltips import add_tooltips, mean_words, seed_words
from dropout_lab.records import RunRecord
from dropout_lab.statistics.difference import paired_t_test

CLASS_CONFIDENCE = 0.95
"""Level of the intervals of classes."""


@dataclass(frozen=True, kw_only=True)
class ClassChange:
    """One class in one condition.

    Attributes:
        class_name: As given, else ``class 3``.
        by_seed: Accuracy on the class's test images minus that of the reference at the same seed, by seed.
        reference_mean: Mean accuracy of the reference at these seeds.
    """

    condition: str
    class_name: str
    by_seed: Mapping[int, float]
    reference_mean: float

    @property
    def differences(self) -> tuple[float, ...]:
        """The differences in order of seed."""
        return tuple(self.by_seed.values())

    @property
    def interval(self) -> tuple[float, float] | None:
        """Confidence interval of the mean (paired t); None if the differences do not vary."""
        if len(set(self.differences)) < 2:
            return None
        return paired_t_test(np.array(self.differences)).interval(CLASS_CONFIDENCE)

    @property
    def mean(self) -> float:
        """Mean over the seeds."""
        return sum(self.differences) / len(self.differences)


def class_changes(
    runs: Sequence[RunRecord], conditions: Sequence[str], reference: str, class_names: Sequence[str] = ()
) -> tuple[ClassChange, ...]:
    """Return the change of every class in every condition but `reference`, from runs paired by seed.

    Classes go from the largest gain to the largest loss, on average over the conditions.

    Args:
        runs: Finished runs; what has no twin at its seed in the reference is left out.
        conditions: In the order of drawing.
        class_names: By class number; classes beyond them are called by their number.
    """
    by_twin = {(run.condition, run.seed): run.metrics for run in runs}
    classes = CLASS_ACCURACY.members(name for run in runs for name in run.metrics)
    changes = []
    for condition in conditions:
        twins = {
            seed: (by_twin[condition, seed], by_twin[reference, seed])
            for name, seed in sorted(by_twin)
            if name == condition != reference and (reference, seed) in by_twin
        }
        for number in map(int, classes):
            metric = CLASS_ACCURACY.name(number)
            by_seed = {
                seed: a[metric] - b[metric] for seed, (a, b) in twins.items() if metric in a and metric in b
            }
            if by_seed:
                name = class_names[number] if number < len(class_names) else f"class {number}"
                reference_mean = sum(twins[seed][1][metric] for seed in by_seed) / len(by_seed)
                changes.append(
                    ClassChange(
                        condition=condition,
                        class_name=name,
                        by_seed=by_seed,
                        reference_mean=reference_mean,
                    )
                )
    means: dict[str, list[float]] = {}
    for change in changes:
        means.setdefault(change.class_name, []).append(change.mean)
    place = {name: sum(own) / len(own) for name, own in means.items()}
    order = {condition: number for number, condition in enumerate(conditions)}
    return tuple(sorted(changes, key=lambda one: (order[one.condition], -place[one.class_name])))


@default_settings()
def draw_class_changes(changes: Sequence[ClassChange], reference: str, theme: Theme = LIGHT) -> Figure:
    """Draw each class's mean change as a marker, with a small dot for each seed."""
    classes = list(dict.fromkeys(change.class_name for change in changes))
    conditions = list(dict.fromkeys(change.condition for change in changes))
    figure = new_figure(1.1 + 0.2 * len(conditions) + len(classes) * (0.16 + 0.14 * len(conditions)), theme)
    axes = figure.add_subplot()
    axes.axvline(0, color=theme.muted, linewidth=1)
    lane = 0.8 / len(conditions)
    for index, condition in enumerate(conditions):
        color, marker = series_style(index + 1, theme)
        own = [change for change in changes if change.condition == condition]
        rows = [classes.index(change.class_name) - 0.4 + (index + 0.5) * lane for change in own]
        for row, change in zip(rows, own, strict=True):
            (dots,) = axes.plot(
                change.differences, [row - 0.25 * lane] * len(change.differences), linestyle="", marker=".",
                markersize=4, color=color, alpha=0.45,
            )  # fmt: skip
            add_tooltips(dots, seed_words("test_accuracy", _name(change), change.by_seed))
            if change.interval is not None:
                axes.plot(change.interval, [row, row], color=color, linewidth=2)
        (means,) = axes.plot(
            [change.mean for change in own], rows, linestyle="", marker=marker, markersize=6.5, color=color,
            markeredgecolor=theme.background, label=plain(condition),
        )  # fmt: skip
        nothing = (nan, nan)
        add_tooltips(
            means,
            [mean_words("test_accuracy", _name(one), one.mean, one.interval or nothing) for one in own],
        )
    style_axes(
        axes,
        theme,
        title="Change of accuracy by class",
        xlabel=f"difference from {plain(reference)} (percentage points)",
        ylabel="",
    )
    limit_axis(axes, [one for change in changes for one in change.differences], 0.0)
    reference_means = {one.class_name: one.reference_mean for one in reversed(changes)}
    axes.set_yticks(
        range(len(classes)), [f"{plain(name, 20)} ({100 * reference_means[name]:.0f}%)" for name in classes]
    )
    axes.invert_yaxis()
    axes.xaxis.set_major_formatter(percent())
    if len(conditions) > 1:
        style_legend(figure.legend(loc="outside lower center", fontsize=8), theme)
    return figure


def _name(change: ClassChange) -> str:
    return f"{change.condition}, {change.class_name}"
