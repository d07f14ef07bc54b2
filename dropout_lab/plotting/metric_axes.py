"""Axes of metrics: label with unit, and ticks in percent where the metric is a fraction."""

from matplotlib.axis import Axis

from dropout_lab.evaluation.metrics import metric_info
from dropout_lab.plotting.style import percent


def metric_label(metric: str, *, difference: bool = False) -> str:
    """Return the axis label of a metric, or of differences of it, such as ``test accuracy (%)``."""
    info = metric_info(metric)
    unit = "percentage points" if info.percent and (difference or info.is_gap) else info.unit.value
    return f"{info.label} ({unit})" if unit else info.label


def format_ticks(axis: Axis, metric: str) -> None:
    """Show the ticks of `axis` in percent where `metric` is shown so."""
    if metric_info(metric).percent:
        axis.set_major_formatter(percent())
