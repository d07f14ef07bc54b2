"""Metrics: direction, equivalence margin, and how numbers are written."""

import math
import re
from dataclasses import dataclass

DEFAULT_METRICS = ("test_accuracy", "test_loss", "generalization_gap", "test_brier", "test_ece")
MEASURED_WITH_DROPOUT = ("accuracy", "loss")
"""Metrics of the last training epoch: dropout on, weights still changing."""
GAPS = ("generalization_gap", "loss_gap")
"""Differences between training and test set, which are best near 0: a negative one is underfitting."""


@dataclass(frozen=True, kw_only=True)
class MetricInfo:
    """Properties of one metric.

    Attributes:
        label: Name without unit, for titles and axes.
        higher_is_better: None if neither direction is known to be good, as with `GAPS`.
        margin: Default equivalence margin.
        percent: Whether it is shown in percent, differences in percentage points.
    """

    name: str
    label: str
    higher_is_better: bool | None
    margin: float | None
    percent: bool


_KINDS: tuple[tuple[str, bool | None, float | None, bool], ...] = (
    (r"generalization_gap", None, 0.002, True),
    (r"loss_gap", None, 0.01, False),
    (r"(\w+_)?accuracy_class_\d+", True, 0.01, True),
    (r"(\w+_)?accuracy", True, 0.002, True),
    (r"(\w+_)?loss", False, 0.01, False),
    (r"(\w+_)?brier", False, 0.005, False),
    (r"(\w+_)?ece", False, 0.005, False),
    (r"(\w+_)?seconds", False, None, False),
)
_LABELS = {"ece": "calibration error", "brier": "Brier score"}


def metric_info(name: str) -> MetricInfo:
    """Return the properties of the metric called `name`; of an unknown one, only its name."""
    label = " ".join(_LABELS.get(word, word) for word in name.split("_"))
    for pattern, higher_is_better, margin, percent in _KINDS:
        if re.fullmatch(pattern, name):
            return MetricInfo(
                name=name, label=label, higher_is_better=higher_is_better, margin=margin, percent=percent
            )
    return MetricInfo(name=name, label=label, higher_is_better=None, margin=None, percent=False)


def format_value(metric: str, value: float) -> str:
    """Return `value` as people read it: ``90.64%`` or ``0.2512``; a dash for NaN."""
    if math.isnan(value):
        return "-"
    return f"{100 * value:.2f}%" if metric_info(metric).percent else f"{value:.4f}"


def format_mean_sd(metric: str, mean: float, sd: float) -> str:
    """Return ``90.64 ± 0.21%``; the mean alone if one seed leaves no spread."""
    if math.isnan(mean) or math.isnan(sd):
        return format_value(metric, mean)
    if metric_info(metric).percent:
        return f"{100 * mean:.2f} ± {100 * sd:.2f}%"
    return f"{mean:.4f} ± {sd:.4f}"


def format_number(metric: str, value: float, *, sign: bool = True) -> str:
    """Return a difference without its unit: percentage points or the metric's own unit."""
    if math.isnan(value):
        return "-"
    percent = metric_info(metric).percent
    digits = 2 if percent else 4
    shown = round(100 * value if percent else value, digits)
    # Adding 0.0 turns a rounded negative zero into zero.
    return f"{shown + 0.0:+.{digits}f}" if sign else f"{shown + 0.0:.{digits}f}"


def format_difference(metric: str, value: float, *, sign: bool = True) -> str:
    """Return a difference as people read it: ``+0.85 points`` or ``-0.0123``."""
    unit = " points" if metric_info(metric).percent and not math.isnan(value) else ""
    return format_number(metric, value, sign=sign) + unit


def format_interval(metric: str, low: float, high: float) -> str:
    """Return an interval of differences, ``[+0.61, +1.09]``; a dash if an end is NaN or both are infinite."""
    if math.isnan(low) or math.isnan(high) or (math.isinf(low) and math.isinf(high)):
        return "-"
    return f"[{format_number(metric, low)}, {format_number(metric, high)}]"


def format_p(p_value: float) -> str:
    """Return ``p = 0.030`` or ``p < 0.0001``."""
    return "no p-value" if math.isnan(p_value) else f"p {_compared(p_value)}"


def format_p_cell(p_value: float) -> str:
    """Return ``0.030`` or ``< 0.0001``, for a column headed p; a dash for NaN."""
    return "-" if math.isnan(p_value) else _compared(p_value).removeprefix("= ")


def format_percent(fraction: float, digits: int = 6) -> str:
    """Return a confidence level or a probability as ``95%`` or ``99.5%``, to `digits` significant digits."""
    return f"{100 * fraction:.{digits}g}%"


def format_count(count: int, noun: str) -> str:
    """Return ``1 pair``, ``2 pairs`` or ``1,100 pairs``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _compared(p_value: float) -> str:
    return "< 0.0001" if p_value < 0.0001 else f"= {p_value:#.2g}"
