"""Tables of all pairs of conditions, and of their ranks."""

import math

from dropout_lab.comparison.pairwise import AllPairs
from dropout_lab.evaluation.metrics import (
    format_difference,
    format_interval,
    format_p,
    format_p_cell,
    format_percent,
    metric_info,
)
from dropout_lab.reporting.tables import TextTable


def pair_table(found: AllPairs, confidence: float) -> TextTable:
    """Return the differences of all pairs, with their p-values if they were tested."""
    title = f"All pairs in {metric_info(found.metric).label}, {found.num_seeds} shared seeds; "
    title += (
        f"{format_percent(confidence)} CI and p-values hold for all {found.num_pairs} pairs together"
        if found.is_tested
        else f"{format_percent(confidence)} CI as if these seeds had been planned, not tested"
    )
    table = TextTable(
        title,
        ("Condition", "Compared with", "Difference", "CI", "p (adjusted)", "Significant"),
        tuple(
            (
                pair.first,
                pair.second,
                format_difference(found.metric, pair.mean_difference),
                format_interval(found.metric, pair.ci_low, pair.ci_high),
                format_p_cell(pair.p_adjusted),
                "yes" if pair.is_significant else "no",
            )
            for pair in found.pairs
        ),
    )
    return table if found.is_tested else table.without("p (adjusted)", "Significant")


def rank_table(found: AllPairs) -> TextTable:
    """Return the mean ranks, best first, and if they were tested which conditions they do not tell apart."""
    friedman = "" if math.isnan(found.friedman_p) else f"; Friedman test {format_p(found.friedman_p)}"
    tested = f", Nemenyi critical difference {found.critical_difference:.2f}{friedman}"
    table = TextTable(
        f"Mean ranks (1 = best){tested if found.is_tested else ''}",
        ("Condition", "Mean rank", "Not told apart from"),
        tuple(
            (
                condition,
                f"{found.mean_ranks[condition]:.2f}",
                ", ".join(
                    other
                    for other in found.conditions
                    if other != condition and any({condition, other} <= set(group) for group in found.groups)
                )
                or "-",
            )
            for condition in found.conditions
        ),
    )
    return table if found.is_tested else table.without("Not told apart from")
