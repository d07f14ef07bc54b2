"""Which classes gain and which lose: the change of accuracy by class against the reference."""

from collections.abc import Sequence
from dataclasses import dataclass

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
from dropout_lab.records import RunRecord
from dropout_lab.statistics.difference import paired_t_test

CLASS_CONFIDENCE = 0.95
"""Level of the intervals of classes."""


@dataclass(frozen=True, kw_only=True)
class ClassChange:
    """One class in one condition.

    Attributes:
        class_name: As given, else ``class 3``.
        differences: Accuracy on the class's test images minus that of the reference at the same seed,
            in order of seed.
    """

    condition: str
    class_name: str
    differences: tuple[float, ...]

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
        twins = [
            (by_twin[condition, seed], by_twin[reference, seed])
            for name, seed in sorted(by_twin)
            if name == condition != reference and (reference, seed) in by_twin
        ]
        for number in map(int, classes):
            metric = CLASS_ACCURACY.name(number)
            differences = tuple(a[metric] - b[metric] for a, b in twins if metric in a and metric in b)
            if differences:
                name = class_names[number] if number < len(class_names) else f"class {number}"
                changes.append(ClassChange(condition=condition, class_name=name, differences=differences))
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
            axes.plot(
                change.differences, [row - 0.25 * lane] * len(change.differences), linestyle="", marker=".",
                markersize=4, color=color, alpha=0.45,
            )  # fmt: skip
            if change.interval is not None:
                axes.plot(change.interval, [row, row], color=color, linewidth=2)
        axes.plot(
            [change.mean for change in own], rows, linestyle="", marker=marker, markersize=6.5, color=color,
            markeredgecolor=theme.background, label=plain(condition),
        )  # fmt: skip
    style_axes(
        axes,
        theme,
        title="Change of accuracy by class",
        xlabel=f"difference from {plain(reference)} (percentage points)",
        ylabel="",
    )
    limit_axis(axes, [one for change in changes for one in change.differences], 0.0)
    axes.set_yticks(range(len(classes)), [plain(name) for name in classes])
    axes.invert_yaxis()
    axes.xaxis.set_major_formatter(percent())
    if len(conditions) > 1:
        style_legend(figure.legend(loc="outside lower center", fontsize=8), theme)
    return figure
