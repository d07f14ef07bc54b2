"""The results of a comparison as one table for the terminal, in widths from full to narrow."""

from collections.abc import Iterator
from dataclasses import dataclass

from dropout_lab.cli.metric_names import short_label
from dropout_lab.comparison.results import Comparison
from dropout_lab.evaluation.metrics import (
    format_count,
    format_mean_sd,
    format_number,
    format_percent,
    format_value,
    metric_info,
)
from dropout_lab.reporting.tables import TextTable
from dropout_lab.reporting.view import DETAILS, difference_cells

Row = tuple[str, ...]


@dataclass(frozen=True)
class _Width:
    """What a table shows: spreads beside the means, full names of metrics, p-values."""

    spreads: bool = True
    full_names: bool = True
    p_values: bool = True


_WIDTHS = (
    _Width(),
    _Width(spreads=False),
    _Width(spreads=False, full_names=False),
    _Width(spreads=False, full_names=False, p_values=False),
)


def result_tables(comparison: Comparison) -> list[TextTable]:
    """Return the table of all metrics, the primary one first, then the same with less and less in it.

    With one condition besides the reference, each metric is a row; with several, it is a section.
    """
    rows_of = _metric_rows if len(comparison.conditions) <= 2 else _condition_rows
    return [_table(comparison, width, tuple(rows_of(comparison, width))) for width in _WIDTHS]


def _table(comparison: Comparison, width: _Width, rows: tuple[Row, ...]) -> TextTable:
    conditions = comparison.conditions
    mean = "Mean ± SD" if width.spreads else "Mean"
    names = ("Condition", mean) if len(conditions) > 2 else ("Metric", *conditions)
    headings = (
        *names,
        f"Difference [{format_percent(comparison.confidence)} CI]",
        *(("p",) if width.p_values else ()),
        "Verdict",
        *DETAILS,
    )
    return TextTable("", headings if len(conditions) > 1 else names, rows, DETAILS)


def _metric_rows(comparison: Comparison, width: _Width) -> Iterator[Row]:
    for index, metric in enumerate(comparison.metrics):
        if index == 1:
            yield (f"Secondary metrics{_adjustment(comparison, metric)}",)
        means = [_mean(comparison, name, metric, width) for name in comparison.conditions]
        label = metric_info(metric).label if width.full_names else _short(metric)
        yield (
            label,
            *means,
            *(_cells(comparison, comparison.conditions[1], metric, width) if means[1:] else ()),
        )


def _condition_rows(comparison: Comparison, width: _Width) -> Iterator[Row]:
    for metric in comparison.metrics:
        kind = "primary" if metric == comparison.primary else "secondary"
        yield (f"{metric_info(metric).label} ({kind}{_adjustment(comparison, metric)})",)
        reference, *others = comparison.conditions
        num_empty = (3 if width.p_values else 2) + len(DETAILS) - 1
        yield (reference, _mean(comparison, reference, metric, width), "reference", *[""] * num_empty)
        for name in others:
            yield (name, _mean(comparison, name, metric, width), *_cells(comparison, name, metric, width))


def _adjustment(comparison: Comparison, metric: str) -> str:
    """Return ``, p adjusted for 4 comparisons``; nothing if there is only one."""
    count = max((one.num_tests for one in comparison.differences if one.metric == metric), default=1)
    return f", p adjusted for {format_count(count, 'comparison')}" if count > 1 else ""


def _short(metric: str) -> str:
    """Return a short label, with the unit of a gap, which its means then lack."""
    return f"{short_label(metric)}, points" if _is_in_points(metric) else short_label(metric)


def _is_in_points(metric: str) -> bool:
    info = metric_info(metric)
    return info.is_gap and info.percent


def _mean(comparison: Comparison, condition: str, metric: str, width: _Width) -> str:
    summary = comparison.summary(condition, metric)
    if width.spreads:
        return format_mean_sd(metric, summary.mean, summary.sd)
    if not width.full_names and _is_in_points(metric):
        return format_number(metric, summary.mean, sign=False)
    return format_value(metric, summary.mean)


def _cells(comparison: Comparison, condition: str, metric: str, width: _Width) -> Row:
    cells = difference_cells(comparison.difference(condition, metric))
    difference, interval, p_value = (cells.pop(name) for name in ("Difference", "CI", "p"))
    if not width.full_names:
        p_value = p_value.replace(" ", "")
    return (
        f"{difference} {interval}" if interval != "-" else difference,
        *((p_value,) if width.p_values else ()),
        comparison.verdict(condition, metric).word.value,
        *cells.values(),
    )
