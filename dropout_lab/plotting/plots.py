"""All plots of a comparison, each with its caption and alternative text."""

from collections.abc import Iterator, Mapping, Sequence

from dropout_lab.comparison.results import Comparison
from dropout_lab.evaluation.metrics import format_difference, format_percent, format_value, metric_info
from dropout_lab.plotting.class_change import CLASS_CONFIDENCE, class_changes, draw_class_changes
from dropout_lab.plotting.critical_difference import draw_critical_difference
from dropout_lab.plotting.curves import EPOCHS_TO_ZOOM, condition_curves, draw_curves
from dropout_lab.plotting.epoch_difference import (
    EPOCH_CONFIDENCE,
    draw_epoch_differences,
    epoch_differences,
)
from dropout_lab.plotting.forest import ForestPanel, draw_forest, forest_panels
from dropout_lab.plotting.heatmap import draw_heat_map, heat_map
from dropout_lab.plotting.metric_axes import metric_label
from dropout_lab.plotting.paired_seeds import describe, draw_paired_seeds, paired_seeds_data
from dropout_lab.plotting.plot import Plot
from dropout_lab.plotting.prediction_plots import prediction_plots
from dropout_lab.plotting.rate_response import RATE_CONFIDENCE, draw_rate_response, rate_response
from dropout_lab.plotting.reliability import TestPredictions
from dropout_lab.plotting.small_multiples import draw_small_multiples

MAX_OVERLAID = 3
"""Most conditions, besides the reference, whose learning curves share axes."""
MAX_FOREST_ROWS = 24
"""Most differences in one forest plot; more would not fit a screen."""


def comparison_plots(
    comparison: Comparison,
    predictions: Mapping[str, TestPredictions] | None = None,
    class_names: Sequence[str] = (),
) -> tuple[Plot, ...]:
    """Return the plots that the runs of `comparison` have the values for.

    Args:
        comparison: The comparison; without histories in its runs there are no learning curves.
        predictions: Test predictions by run ID; without them there are no reliability diagram
            and no confusions.
        class_names: Names of the classes, by class number.
    """
    plots = (
        _rate_response(comparison),
        _heat_map(comparison),
        _paired_seeds(comparison),
        *_forests(comparison),
        _critical_difference(comparison),
        _epoch_difference(comparison),
        _class_change(comparison, class_names),
        *prediction_plots(comparison, predictions or {}, class_names),
        _curves(comparison),
    )
    return tuple(plot for plot in plots if plot is not None)


def _paired_seeds(comparison: Comparison) -> Plot | None:
    data = paired_seeds_data(comparison)
    if data is None:
        return None
    return Plot(
        name="paired_seeds",
        title="Paired seeds",
        caption=f"a: {metric_label(data.metric)} of every run. Runs of the same seed are joined; short bars "
        f"are means. b: difference from {data.reference}. Dots: seeds; bars: {_interval_words(comparison)}."
        f"{_ZONE if data.margin else ''}",
        alt=f"Paired differences from {data.reference} in {metric_label(data.metric)}. {describe(data)}.",
        draw=lambda theme: draw_paired_seeds(data, theme),
    )


_ZONE = " Gray zone: within the equivalence margin."


def _interval_words(comparison: Comparison) -> str:
    return f"mean and {format_percent(comparison.confidence)} confidence interval"


def _forests(comparison: Comparison) -> Iterator[Plot]:
    """Yield one plot of all metrics; if that is too long, a plot for each metric, the primary first."""
    panels = forest_panels(comparison)
    if sum(len(panel.rows) for panel in panels) <= MAX_FOREST_ROWS:
        if panels:
            yield _forest(comparison, panels, "forest", "All metrics")
        return
    for metric in sorted(comparison.metrics, key=lambda one: one != comparison.primary):
        panels = forest_panels(comparison, [metric])
        if panels:
            name = "forest" if metric == comparison.primary else f"forest-{metric}"
            label = metric_info(metric).label
            yield _forest(comparison, panels, name, f"{label[0].upper()}{label[1:]}")


def _forest(comparison: Comparison, panels: Sequence[ForestPanel], name: str, title: str) -> Plot:
    rows = [row for panel in panels for row in panel.rows]
    has_margins = panels[0].metric is None
    caption = (
        f"Difference from {comparison.reference}. Dots: seeds. Thick bars: {_interval_words(comparison)}."
    )
    if any(row.adjusted != row.interval for row in rows):
        caption += " Thin bars: interval adjusted for the number of tests, as the verdicts are."
    if has_margins:
        caption += (
            " Divided by the equivalence margin and turned so that right is better; of a gap, narrower."
        )
        caption += _ZONE
    values = "; ".join(f"{metric_info(r.metric).label}, {r.condition}: {r.shown}, {r.verdict}" for r in rows)
    return Plot(
        name=name,
        title=title,
        caption=caption,
        alt=f"Forest plot of differences from {comparison.reference}. {values}.",
        draw=lambda theme: draw_forest(panels, theme),
    )


def _critical_difference(comparison: Comparison) -> Plot | None:
    found = comparison.all_pairs
    if found is None or not found.is_tested:
        return None
    ranks = ", ".join(f"{name} {found.mean_ranks[name]:.2f}" for name in found.conditions)
    return Plot(
        name="critical_difference",
        title="Ranking",
        caption=f"Mean ranks in {metric_label(found.metric)} over the shared seeds. Bars join conditions "
        "whose mean ranks differ by less than the critical difference (Nemenyi).",
        alt=f"Mean ranks, 1 is best: {ranks}.",
        draw=lambda theme: draw_critical_difference(found, theme),
    )


def _epoch_difference(comparison: Comparison) -> Plot | None:
    reference = comparison.reference
    data = epoch_differences(comparison.runs, comparison.conditions, reference)
    if not data:
        return None
    ends = [f"{one.condition} {format_difference('val_accuracy', one.mean[-1])}" for one in data]
    return Plot(
        name="epoch_difference",
        title="Difference by epoch",
        caption=f"Validation accuracy minus that of {reference} at the same seed and epoch. Lines: means; "
        f"bands: {format_percent(EPOCH_CONFIDENCE)} confidence intervals at each epoch (t, not adjusted).",
        alt=f"Difference in validation accuracy from {reference} by epoch. Last epoch: {'; '.join(ends)}.",
        draw=lambda theme: draw_epoch_differences(data, reference, theme),
    )


def _curves(comparison: Comparison) -> Plot | None:
    curves = condition_curves(comparison.runs, comparison.conditions)
    if not (curves.loss or curves.accuracy):
        return None
    ends = [f"{c.condition} {c.part} {format_value('accuracy', c.mean[-1])}" for c in curves.accuracy]
    reference = comparison.reference
    in_rows = len({one.condition for one in curves.loss + curves.accuracy} - {reference}) > MAX_OVERLAID
    return Plot(
        name="learning_curves",
        title="Learning curves",
        caption="Validation loss and accuracy, measured with dropout off. Lines: means over the seeds; "
        f"bands: lowest to highest seed. From {EPOCHS_TO_ZOOM} epochs on, axes fit all but the first."
        f"{f' Gray: {reference}.' if in_rows else ''}",
        alt=f"Validation loss and accuracy by epoch. Accuracy in the last epoch: {'; '.join(ends)}.",
        draw=lambda theme: (
            draw_small_multiples(curves, reference, theme) if in_rows else draw_curves(curves, theme)
        ),
    )


def _rate_response(comparison: Comparison) -> Plot | None:
    response = rate_response(comparison)
    if response is None:
        return None
    metric, points = next(iter(response.points.items()))
    values = [f"{format_percent(point.dropout_rate)}: {format_value(metric, point.mean)}" for point in points]
    return Plot(
        name="rate_response",
        title="Response to the dropout rate",
        caption=f"Means over the seeds by dropout rate, {response.site}. Bands: "
        f"{format_percent(RATE_CONFIDENCE)} confidence intervals (t, not adjusted); thin lines: seeds.",
        alt=f"{metric_label(metric)} by dropout rate. {'; '.join(values)}.",
        draw=lambda theme: draw_rate_response(response, theme),
    )


def _heat_map(comparison: Comparison) -> Plot | None:
    data = heat_map(comparison)
    if data is None:
        return None
    cells = [
        f"{cell.condition}: {format_difference(data.metric, cell.mean_difference)}, {cell.word}"
        for cell in data.cells.values()
        if cell.word != "reference"
    ]
    return Plot(
        name="heat_map",
        title="Differences by two settings",
        caption=f"Mean difference from {comparison.reference} in {metric_label(data.metric)} and verdict"
        f" by {data.settings[0]} (rows) and {data.settings[1]} (columns).",
        alt=f"Heat map of differences from {comparison.reference}. {'; '.join(cells)}.",
        draw=lambda theme: draw_heat_map(data, theme),
    )


def _class_change(comparison: Comparison, class_names: Sequence[str]) -> Plot | None:
    reference = comparison.reference
    changes = class_changes(comparison.runs, comparison.conditions, reference, class_names)
    if not changes:
        return None
    means = [f"{c.condition}, {c.class_name}: {format_difference('test_accuracy', c.mean)}" for c in changes]
    return Plot(
        name="class_change",
        title="Change by class",
        caption=f"Test accuracy on each class minus that of {reference} at the same seed, in order of size. "
        f"Large markers: means; bars: {format_percent(CLASS_CONFIDENCE)} confidence intervals (t, not "
        f"adjusted for the number of classes); dots: seeds. In parentheses: accuracy of {reference}. "
        "Classes are not tested.",
        alt=f"Change of accuracy by class. {'; '.join(means)}.",
        draw=lambda theme: draw_class_changes(changes, reference, theme),
    )
