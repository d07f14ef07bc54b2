"""One view of a comparison: the words and tables that every output format renders."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from dropout_lab.comparison.findings import FindingKind
from dropout_lab.comparison.results import Comparison, Difference, Verdict
from dropout_lab.comparison.selection import format_seeds
from dropout_lab.comparison.standing import Stage, Standing
from dropout_lab.evaluation.metrics import (
    format_count,
    format_difference,
    format_interval,
    format_mean_sd,
    format_number,
    format_p_cell,
    format_percent,
    format_value,
    metric_info,
)
from dropout_lab.reporting.pair_tables import pair_table, rank_table
from dropout_lab.reporting.tables import TextTable


@dataclass(frozen=True, kw_only=True)
class ComparisonView:
    """What is shown of a comparison, in order.

    Attributes:
        title: What was compared, in one line.
        design: Seeds, primary metric and margins that were planned.
        verdicts: The verdicts on the primary metric, one per condition.
        results: Tables of the primary metric, of the secondary metrics, and of all pairs.
        sections: Headings with their lines, such as claims, cautions and notes; empty ones are left out.
        gaps: Training and test metrics; None if they were not logged.
    """

    title: str
    design: str
    verdicts: tuple[Verdict, ...]
    results: tuple[TextTable, ...]
    sections: tuple[tuple[str, tuple[str, ...]], ...]
    gaps: TextTable | None


def view_comparison(comparison: Comparison) -> ComparisonView:
    """Return what every output format shows of `comparison`."""
    secondary = tuple(metric for metric in comparison.metrics if metric != comparison.primary)
    tables = [_results(comparison, f"Primary metric, {_level(comparison)}", (comparison.primary,))]
    if secondary:
        tables.append(_results(comparison, f"Secondary metrics, {_level(comparison)}", secondary))
    if comparison.all_pairs is not None:
        tables += [
            pair_table(comparison.all_pairs, comparison.confidence),
            rank_table(comparison.all_pairs),
        ]
    sections = (
        ("Claims", tuple(one.sentence for one in comparison.claims)),
        ("Single runs", tuple(one.sentence for one in comparison.single_runs)),
        ("Ensembles", tuple(one.sentence for one in comparison.ensembles)),
        (
            "Cautions",
            tuple(one.sentence for one in comparison.findings if one.kind is FindingKind.CAUTION),
        ),
        ("Excluded runs", tuple(_exclusion_lines(comparison))),
        ("Notes", comparison.notes),
    )
    return ComparisonView(
        title=_title(comparison),
        design=_design(comparison),
        verdicts=tuple(one for one in comparison.verdicts if one.is_primary),
        results=tuple(tables),
        sections=tuple(section for section in sections if section[1]),
        gaps=_gap_table(comparison),
    )


def difference_cells(difference: Difference) -> dict[str, str]:
    """Return the cells of a difference by column heading, as all tables show them."""
    metric, margin = difference.metric, difference.margin
    return {
        "Difference": format_difference(metric, difference.mean_difference),
        "CI": format_interval(metric, difference.adjusted_ci_low, difference.adjusted_ci_high),
        "p": format_p_cell(difference.p_adjusted),
        "n": format_count(difference.n, "pair") if difference.paired else f"{difference.n} unpaired",
        "Margin": "-" if margin is None else f"±{format_number(metric, margin, sign=False)}",
        "Effect size": _two_decimals(difference.effect_size, "+"),
        "r of pairs": _two_decimals(difference.pairing_correlation),
        "Posterior probability": _posterior(difference),
    }


DETAILS = ("n", "Margin", "Effect size", "r of pairs", "Posterior probability")


MAX_NAMED = 5
"""Most conditions, with the reference, that a title names."""


def _level(comparison: Comparison) -> str:
    return f"mean ± SD over seeds, {format_percent(comparison.confidence)} CI"


def _results(comparison: Comparison, title: str, metrics: tuple[str, ...]) -> TextTable:
    """Return the results in `metrics`: with one condition side by side, with several one below the other."""
    reference, others = comparison.reference, comparison.conditions[1:]
    side_by_side = len(others) == 1
    num_tests = max((one.num_tests for one in comparison.differences if one.metric in metrics), default=1)
    adjusted = "p (adjusted)" if num_tests > 1 else "p"
    headings = (
        "Metric",
        *((reference, others[0]) if side_by_side else ("Condition", "Mean ± SD")),
        *(("Difference", "CI", adjusted, "Verdict", *DETAILS) if others else ()),
    )
    rows: list[tuple[str, ...]] = []
    for metric in metrics:
        means = {}
        for name in comparison.conditions:
            summary = comparison.summary(name, metric)
            means[name] = format_mean_sd(metric, summary.mean, summary.sd)
        label = metric_info(metric).label
        if not side_by_side:
            empty = ("reference", *[""] * (len(headings) - 4)) if others else ()
            rows.append((label, reference, means[reference], *empty))
        for name in others:
            cells = list(difference_cells(comparison.difference(name, metric)).values())
            cells.insert(3, comparison.verdict(name, metric).word.value)
            rows.append(
                (
                    label,
                    *((means[reference], means[name]) if side_by_side else (name, means[name])),
                    *cells,
                )
            )
    return TextTable(title, headings, tuple(rows), DETAILS)


def _gap_table(comparison: Comparison) -> TextTable | None:
    if not comparison.gaps:
        return None
    return TextTable(
        "Training set with dropout on (last epoch) and off, and test set",
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


def _title(comparison: Comparison) -> str:
    others = ", ".join(comparison.conditions[1:]) or "no other condition"
    if len(comparison.conditions) > MAX_NAMED:
        others = format_count(len(comparison.conditions) - 1, "condition")
    numbers = sorted({one.num_seeds for one in comparison.standings})
    seeds = ""
    if numbers:
        span = f"{numbers[0]}" if len(numbers) == 1 else f"{numbers[0]}-{numbers[-1]}"
        paired = all(one.paired for one in comparison.differences)
        noun = "seed" if numbers == [1] else "seeds"
        seeds = f" · {span} {'paired ' if paired else ''}{noun}"
    return (
        f"{comparison.experiment}: {others} vs {comparison.reference}{seeds} · "
        f"{format_percent(comparison.confidence)} CI"
    )


def _design(comparison: Comparison) -> str:
    primary = metric_info(comparison.primary).label
    designs = {_planned(one) for one in comparison.standings} or {"no comparison"}
    margins = {one.margin for one in comparison.differences if one.metric == comparison.primary}
    parts = [f"primary metric {primary}", *sorted(designs)]
    parts += [
        f"equivalence margin ±{format_difference(comparison.primary, margin, sign=False)}"
        for margin in margins
        if margin is not None
    ]
    return f"Design: {'; '.join(parts)}."


def _planned(standing: Standing) -> str:
    if standing.design is None:
        return "number of seeds not stated beforehand"
    if standing.design.is_sequential:
        return f"sequential, {standing.design.first} to {format_count(standing.design.most, 'seed')}"
    extended = ", extended" if standing.stage is Stage.EXTENDED else ""
    return f"{format_count(standing.planned, 'seed')} per condition{extended}"


def _exclusion_lines(comparison: Comparison) -> Iterable[str]:
    """Yield one line per condition, metric and reason: a large study may have many such runs."""
    seeds: dict[tuple[str, str], list[int]] = {}
    for one in comparison.exclusions:
        seeds.setdefault((one.condition, one.reason), []).append(one.seed)
    for (condition, reason), numbers in seeds.items():
        noun = "seed" if len(set(numbers)) == 1 else "seeds"
        shown = f"{noun} {format_seeds(set(numbers))} ({format_count(len(numbers), 'run')})"
        yield f"{condition}, {shown}: {reason}."


def _two_decimals(value: float, sign: str = "") -> str:
    return "-" if math.isnan(value) else f"{value:{sign}.2f}"


def _posterior(difference: Difference) -> str:
    """Return ``better 75%, equivalent 10%, worse 15%``; a dash if there is no margin."""
    if math.isnan(difference.p_within):
        return "-"
    higher_is_better = metric_info(difference.metric).higher_is_better
    above, below = {True: ("better", "worse"), False: ("worse", "better"), None: ("higher", "lower")}[
        higher_is_better
    ]
    shares = {above: difference.p_above, "equivalent": difference.p_within, below: difference.p_below}
    order = ("better", "higher", "equivalent", "worse", "lower")
    return ", ".join(
        f"{word} {format_percent(round(shares[word], 2), 3)}" for word in order if word in shares
    )
