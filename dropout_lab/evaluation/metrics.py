"""What is known of each metric: which way is good, what is too small to matter, how it is written."""

import math
import re
from dataclasses import dataclass

DEFAULT_METRICS = ("test_accuracy", "test_loss", "generalization_gap", "test_brier", "test_ece")


@dataclass(frozen=True, kw_only=True)
class MetricInfo:
    """One metric's meaning.

    Attributes:
        label: For titles and axes, without unit.
        higher_is_better: None where neither way is known to be good.
        margin: The largest difference that is called equivalent, unless the user gives another.
        percent: Shown in percent, differences in percentage points.
    """

    name: str
    label: str
    higher_is_better: bool | None
    margin: float | None
    percent: bool


_KINDS: tuple[tuple[str, bool | None, float | None, bool], ...] = (
    (r"generalization_gap", False, 0.002, True),
    (r"loss_gap", False, 0.01, False),
    (r"(\w+_)?accuracy_class_\d+", True, 0.01, True),
    (r"(\w+_)?accuracy", True, 0.002, True),
    (r"(\w+_)?loss", False, 0.01, False),
    (r"(\w+_)?brier", False, 0.005, False),
    (r"(\w+_)?ece", False, 0.005, False),
    (r"(\w+_)?seconds", False, None, False),
)
_LABELS = {"ece": "calibration error", "brier": "Brier score"}


def metric_info(name: str) -> MetricInfo:
    """Return what is known of the metric called `name`; of an unknown one, only its name."""
    label = " ".join(_LABELS.get(word, word) for word in name.split("_"))
    for pattern, higher_is_better, margin, percent in _KINDS:
        if re.fullmatch(pattern, name):
            return MetricInfo(
                name=name, label=label, higher_is_better=higher_is_better, margin=margin, percent=percent
            )
    return MetricInfo(name=name, label=label, higher_is_better=None, margin=None, percent=False)


def format_value(metric: str, value: float) -> str:
    """Return `value` as people read it: ``90.64 %`` or ``0.2512``; a dash where it is NaN."""
    if math.isnan(value):
        return "-"
    return f"{100 * value:.2f} %" if metric_info(metric).percent else f"{value:.4f}"


def format_mean_sd(metric: str, mean: float, sd: float) -> str:
    """Return ``90.64 ± 0.21 %``, or the mean alone where one seed leaves no spread."""
    if math.isnan(mean) or math.isnan(sd):
        return format_value(metric, mean)
    if metric_info(metric).percent:
        return f"{100 * mean:.2f} ± {100 * sd:.2f} %"
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
    """Return the ends of an interval of differences, ``+0.61 to +1.09``; a dash where there is none."""
    if math.isnan(low) or math.isnan(high):
        return "-"
    return f"{format_number(metric, low)} to {format_number(metric, high)}"


def format_p(p_value: float) -> str:
    """Return ``p = 0.031`` or ``p < 0.0001``."""
    if math.isnan(p_value):
        return "no p-value"
    return "p < 0.0001" if p_value < 0.0001 else f"p = {p_value:.2g}"
