"""Table of what `evaluate` measured after training: confidence, shifted images and inputs from outside."""

import math
import statistics
from collections.abc import Iterator, Sequence

from dropout_lab.comparison.evaluation_facts import evaluation_facts
from dropout_lab.comparison.results import Comparison
from dropout_lab.evaluation.metrics import format_mean_sd, metric_info
from dropout_lab.evaluation.registry import EVALUATED_METRICS
from dropout_lab.reporting.tables import TextTable


def evaluated_table(comparison: Comparison) -> TextTable | None:
    """Return mean and SD of every evaluated metric by condition; None if no run was evaluated."""
    rows, shown = [], []
    for metric in EVALUATED_METRICS:
        values = [
            [
                run.metrics[metric]
                for run in comparison.runs
                if run.condition == name and metric in run.metrics
            ]
            for name in comparison.conditions
        ]
        if any(values):
            shown.append(metric)
            rows.append((metric_info(metric).label, *(_cell(metric, own) for own in values)))
    if not rows:
        return None
    title = "Mean ± SD over the evaluated seeds; differences in these metrics were not tested here"
    title += "".join(f"; {one}" for one in _other_settings(comparison, shown))
    return TextTable(title, ("Metric", *comparison.conditions), tuple(rows))


def _other_settings(comparison: Comparison, metrics: Sequence[str]) -> Iterator[str]:
    """Yield the settings of the evaluation that differ between the runs, with their values."""
    for key, found in evaluation_facts(comparison.runs, metrics).items():
        values = sorted({facts[key] for by_seed in found.values() for facts in by_seed.values()})
        if len(values) > 1:
            yield f"{key} differs between runs ({', '.join(values)})"


def _cell(metric: str, values: list[float]) -> str:
    if not values:
        return "-"
    return format_mean_sd(
        metric, statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else math.nan
    )
