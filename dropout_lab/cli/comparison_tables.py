"""A comparison as tables and lines of text, as spreadsheet rows, and as JSON; fractions in the last two."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

from dropout_lab.cli.tables import TextTable
from dropout_lab.comparison.findings import FindingKind
from dropout_lab.comparison.results import SYMBOLS, Comparison
from dropout_lab.comparison.selection import format_seeds
from dropout_lab.evaluation.metrics import (
    format_difference,
    format_interval,
    format_mean_sd,
    format_number,
    format_p,
    format_value,
    metric_info,
)

NUM_COLUMNS = 3
"""Metrics beside each other in the first table; the table of differences has them all."""


def figure_table(comparison: Comparison) -> TextTable:
    """Return each condition's seeds and figures, and its difference in the first metric."""
    shown, first = comparison.metrics[:NUM_COLUMNS], comparison.metrics[0]
    level = f"{100 * comparison.confidence:g} %"
    rows = []
    for condition in comparison.conditions:
        seeds = [run.seed for run in comparison.runs if run.condition == condition]
        figures = [comparison.summary(condition, metric) for metric in shown]
        difference = "reference"
        if condition != comparison.reference:
            found = comparison.difference(condition, first)
            difference = format_difference(first, found.mean_difference)
            if not math.isnan(found.ci_low):
                difference += f" ({format_interval(first, found.ci_low, found.ci_high)})"
        rows.append(
            (
                condition,
                f"{len(seeds)}",
                *(format_mean_sd(figure.metric, figure.mean, figure.sd) for figure in figures),
                difference,
            )
        )
    labels = [metric_info(metric).label for metric in shown]
    difference = f"Difference in {labels[0]} ({level} interval)"
    return TextTable(
        f"{comparison.experiment}: mean ± standard deviation over seeds",
        ("Condition", "Seeds", *labels, difference),
        tuple(rows),
        (difference,),
    )


def difference_table(comparison: Comparison) -> TextTable:
    """Return every condition's difference from the reference in every metric."""
    rows = []
    for found in comparison.differences:
        word = comparison.verdict(found.condition, found.metric).word
        within = "-" if found.margin is None else f"±{format_number(found.metric, found.margin, sign=False)}"
        rows.append(
            (
                found.condition,
                metric_info(found.metric).label,
                f"{found.n} {'pairs' if found.paired else 'unpaired'}",
                format_difference(found.metric, found.mean_difference),
                format_interval(found.metric, found.ci_low, found.ci_high),
                format_p(found.p_adjusted).removeprefix("p ").removeprefix("= "),
                within,
                "-" if math.isnan(found.effect_size) else f"{found.effect_size:.2f}",
                "-" if math.isnan(found.pairing_correlation) else f"{found.pairing_correlation:.2f}",
                f"{SYMBOLS[word]} {word.value}",
            )
        )
    level = f"{100 * comparison.confidence:g} % interval"
    adjusted = "p (Holm)" if len(comparison.conditions) > 2 else "p"
    extra = ("Margin", "Effect size", "r of pairs")
    headings = ("Condition", "Metric", "n", "Difference", level, adjusted, *extra, "Verdict")
    return TextTable(f"Differences from {comparison.reference}", headings, tuple(rows), ("n", *extra))


def gap_table(comparison: Comparison) -> TextTable:
    """Return the three figures that are easily taken for two, and what lies between them."""
    return TextTable(
        "Training set with dropout on (as training prints it, over the last epoch) and off, and test set",
        ("Condition", "Metric", "Train, on", "Train, off", "Test", "Off - on", "Gap"),
        tuple(
            (
                gap.condition,
                gap.metric,
                format_value(gap.metric, gap.train_noisy),
                format_value(gap.metric, gap.train),
                format_value(gap.metric, gap.test),
                format_difference(gap.metric, gap.dropout_noise),
                format_difference(gap.metric, gap.gap),
            )
            for gap in comparison.gaps
        ),
    )


def sections(comparison: Comparison) -> list[tuple[str, list[str]]]:
    """Return headings with their lines, the empty ones left out."""
    first = comparison.metrics[0]
    verdicts = [one for one in comparison.verdicts if one.metric == first]
    found = [
        ("Verdicts", [f"{SYMBOLS[one.word]} {one.sentence}" for one in verdicts]),
        ("Claims", [one.sentence for one in comparison.claims]),
        ("Single runs", [one.sentence for one in comparison.single_runs]),
        ("Cautions", [one.sentence for one in comparison.findings if one.kind is FindingKind.CAUTION]),
        ("Not counted", _exclusion_lines(comparison)),
        ("Notes", list(comparison.notes)),
    ]
    return [(heading, lines) for heading, lines in found if lines]


def _runs(count: int) -> str:
    return f"{count} run" if count == 1 else f"{count} runs"


def _exclusion_lines(comparison: Comparison) -> list[str]:
    """Return one line for each condition and reason: a large study may have many such runs."""
    seeds: dict[tuple[str, str], list[int]] = {}
    for one in comparison.exclusions:
        seeds.setdefault((one.condition, one.reason), []).append(one.seed)
    return [
        f"{condition}, seed {format_seeds(set(numbers))} ({_runs(len(numbers))}): {reason}."
        for (condition, reason), numbers in seeds.items()
    ]


CSV_COLUMNS = (
    "condition", "reference", "metric", "num_seeds", "mean", "sd", "num_pairs", "paired", "mean_difference",
    "ci_low", "ci_high", "confidence", "p_value", "p_adjusted", "equivalence_p_adjusted", "margin",
    "effect_size", "pairing_correlation", "method", "verdict", "seeds_needed",
)  # fmt: skip


def csv_rows(comparison: Comparison) -> list[list[str]]:
    """Return a row for each metric and condition; what is not there is empty."""
    rows = []
    for metric in comparison.metrics:
        for condition in comparison.conditions:
            summary = comparison.summary(condition, metric)
            cells: dict[str, Any] = {
                "condition": condition,
                "reference": comparison.reference,
                "metric": metric,
                "num_seeds": summary.n,
                "mean": summary.mean,
                "sd": summary.sd,
            }
            if condition != comparison.reference:
                difference = comparison.difference(condition, metric)
                verdict = comparison.verdict(condition, metric)
                cells |= {name: value for name, value in vars(difference).items() if name in CSV_COLUMNS}
                cells |= {
                    "num_pairs": difference.n,
                    "verdict": verdict.word.value,
                    "seeds_needed": verdict.seeds_needed,
                }
            rows.append([_csv_cell(cells.get(name)) for name in CSV_COLUMNS])
    return rows


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
