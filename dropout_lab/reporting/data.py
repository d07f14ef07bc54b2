"""A comparison as plain data: rows for spreadsheets, and everything for JSON; fractions, not percent."""

import csv
import dataclasses
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

from dropout_lab.comparison.results import Comparison

CSV_COLUMNS = (
    "condition", "reference", "metric", "role", "num_seeds", "mean", "sd", "num_pairs", "paired",
    "mean_difference", "ci_low", "ci_high", "adjusted_ci_low", "adjusted_ci_high", "confidence", "p_value",
    "p_adjusted", "equivalence_p_adjusted", "num_tests", "margin", "effect_size", "pairing_correlation",
    "p_above", "p_within", "p_below", "method", "verdict", "seeds_needed", "stage", "planned_seeds",
    "error_rate",
)  # fmt: skip


def csv_rows(comparison: Comparison) -> list[list[str]]:
    """Return a row per metric and condition; a cell without a value is empty."""
    return [[_csv_cell(value) for value in row] for row in value_rows(comparison)]


def value_rows(comparison: Comparison) -> list[list[Any]]:
    """Return a row of values in the order of `CSV_COLUMNS` per metric and condition."""
    standings = {one.condition: one for one in comparison.standings}
    rows = []
    for metric in comparison.metrics:
        for condition in comparison.conditions:
            summary = comparison.summary(condition, metric)
            cells: dict[str, Any] = {
                "condition": condition,
                "reference": comparison.reference,
                "metric": metric,
                "role": "primary" if metric == comparison.primary else "secondary",
                "num_seeds": summary.n,
                "mean": summary.mean,
                "sd": summary.sd,
            }
            if condition != comparison.reference:
                difference = comparison.difference(condition, metric)
                verdict, standing = comparison.verdict(condition, metric), standings[condition]
                cells |= {name: value for name, value in vars(difference).items() if name in CSV_COLUMNS}
                cells |= {
                    "mean": summary.mean,
                    "num_pairs": difference.n,
                    "verdict": verdict.word.value,
                    "seeds_needed": verdict.seeds_needed,
                    "stage": standing.stage.value,
                    "planned_seeds": standing.planned,
                    "error_rate": standing.error_rate,
                }
            rows.append([cells.get(name) for name in CSV_COLUMNS])
    return rows


def scores_csv(comparison: Comparison) -> str:
    """Return the metrics of every run as CSV text, which ``dropout-lab judge`` reads."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["condition", "seed", *comparison.metrics])
    for run in comparison.runs:
        values = [_csv_cell(run.metrics.get(metric)) for metric in comparison.metrics]
        writer.writerow([_csv_cell(run.condition), run.seed, *values])
    return text.getvalue()


def _csv_cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    # A spreadsheet would take text that begins so for a formula, and run it.
    starts_formula = isinstance(value, str) and value.lstrip()[:1] in ("=", "+", "-", "@")
    return f"'{value}" if starts_formula else str(value)


def json_value(comparison: Comparison) -> dict[str, Any]:
    """Return the whole comparison as plain data, with run ids in place of the runs."""
    plain = {
        field.name: _plain(getattr(comparison, field.name))
        for field in dataclasses.fields(comparison)
        if field.name != "runs"
    }
    for gap, source in zip(plain["gaps"], comparison.gaps, strict=True):
        gap |= {"dropout_noise": source.dropout_noise, "gap": source.gap}
    return {**plain, "run_ids": [run.run_id for run in comparison.runs]}


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value
