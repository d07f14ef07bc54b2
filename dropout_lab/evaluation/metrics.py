"""What is known of a metric, and how numbers are written."""

import math
from collections.abc import Container
from dataclasses import replace

from dropout_lab.evaluation.registry import BY_FORM, FAMILIES, METRICS, SHIFT_FAMILIES, MetricInfo, Unit
from dropout_lab.evaluation.robustness import DETECTION_FAMILIES

DEFAULT_METRICS = ("test_accuracy", "test_loss", "generalization_gap", "test_brier", "test_ece")
"""Metrics that are compared by default."""


def metric_info(name: str) -> MetricInfo:
    """Return the properties of the metric called `name`.

    A metric of others has those of its measure if its name has the form ``PART_MEASURE``, such as
    ``holdout_accuracy``, else none.
    """
    if name in METRICS:
        return METRICS[name]
    for family in FAMILIES:
        if member := family.member(name):
            return replace(family.info, name=name, label=f"{family.info.label} {member}".strip())
    words = name.split("_")
    for first in range(len(words)):
        if measure := BY_FORM.get("_".join(words[first:])):
            return replace(measure, name=name, label=" ".join([*words[:first], measure.label]), definition="")
    return MetricInfo(name=name, label=" ".join(words))


def is_detail(name: str, names: Container[str]) -> bool:
    """Return whether a metric of a single shift, severity or set has a mean among `names`.

    A run has more than a hundred such metrics; lists show the means alone.
    """
    return any(
        family.member(name) and (family.prefix[:-1] in names or name.rpartition("_")[0] in names)
        for family in (*SHIFT_FAMILIES, *DETECTION_FAMILIES)
    )


def format_value(metric: str, value: float) -> str:
    """Return `value` as people read it: ``90.64%``, ``0.2512`` or ``1.91 s``; a dash for NaN."""
    if math.isnan(value):
        return "-"
    return f"{format_number(metric, value, sign=False)}{_suffix(metric_info(metric))}"


def format_mean_sd(metric: str, mean: float, sd: float) -> str:
    """Return ``90.64 ± 0.21%``; the mean alone if one seed leaves no spread."""
    if math.isnan(mean) or math.isnan(sd):
        return format_value(metric, mean)
    shown = " ± ".join(format_number(metric, one, sign=False) for one in (mean, sd))
    return f"{shown}{_suffix(metric_info(metric))}"


def format_number(metric: str, value: float, *, sign: bool = True) -> str:
    """Return a value or a difference without its unit, percent or percentage points where it has one."""
    if math.isnan(value):
        return "-"
    info = metric_info(metric)
    of_epochs = 0 if float(value).is_integer() else 1
    digits = {Unit.FRACTION: 2, Unit.SECONDS: 2, Unit.EPOCHS: of_epochs}.get(info.unit, 4)
    shown = round(100 * value if info.percent else value, digits)
    # Adding 0.0 turns a rounded negative zero into zero.
    return f"{shown + 0.0:+.{digits}f}" if sign else f"{shown + 0.0:.{digits}f}"


def format_difference(metric: str, value: float, *, sign: bool = True) -> str:
    """Return a difference as people read it: ``+0.85 points`` or ``-0.0123``."""
    unit = "" if math.isnan(value) else _suffix(metric_info(metric), difference=True)
    return format_number(metric, value, sign=sign) + unit


def _suffix(info: MetricInfo, *, difference: bool = False) -> str:
    if info.percent:
        return " points" if difference or info.is_gap else "%"
    return " s" if info.unit is Unit.SECONDS else ""


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


def format_duration(seconds: float) -> str:
    """Return ``4 s``, ``12 min`` or ``1 h 12 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def format_count(count: int, noun: str) -> str:
    """Return ``1 pair``, ``2 pairs`` or ``1,100 pairs``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _compared(p_value: float) -> str:
    return "< 0.0001" if p_value < 0.0001 else f"= {p_value:#.2g}"
