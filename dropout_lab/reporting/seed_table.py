"""The primary metric seed by seed: the conditions side by side, with their differences from the reference."""

from collections.abc import Mapping
from dataclasses import dataclass

from dropout_lab.comparison.results import Comparison
from dropout_lab.evaluation.metrics import format_difference, format_value, metric_info
from dropout_lab.reporting.tables import TextTable

MAX_CONDITIONS = 8
"""Conditions besides the reference; a wider table cannot be read."""


@dataclass(frozen=True)
class SeedTable:
    """The values by seed.

    Attributes:
        table: One row per seed.
        sides: For each row, ``better`` or ``worse`` by column, from 0, of differences beyond the margin.
    """

    table: TextTable
    sides: tuple[Mapping[int, str], ...]


def seed_table(comparison: Comparison) -> SeedTable | None:
    """Return the primary metric by seed; None without pairs or with more than 8 conditions to compare."""
    metric, reference = comparison.primary, comparison.reference
    found = [one for one in comparison.differences if one.metric == metric and one.paired and one.differences]
    if not found or len(found) > MAX_CONDITIONS:
        return None
    values = {name: comparison.summary(name, metric).values for name in comparison.conditions}
    seeds = sorted({seed for one in found for seed in one.differences})
    higher_is_better = metric_info(metric).higher_is_better
    rows, sides = [], []
    for seed in seeds:
        cells, own = [str(seed), _value(metric, values[reference].get(seed))], {}
        for one in found:
            cells.append(_value(metric, values[one.condition].get(seed)))
            difference = one.differences.get(seed)
            if (
                difference is not None
                and higher_is_better is not None
                and abs(difference) > (one.margin or 0)
            ):
                own[len(cells)] = "better" if (difference > 0) == higher_is_better else "worse"
            cells.append("-" if difference is None else format_difference(metric, difference))
        rows.append(tuple(cells))
        sides.append(own)
    differences = "Difference" if len(found) == 1 else "Difference of {}"
    headings = [h for one in found for h in (one.condition, differences.format(one.condition))]
    title = f"{metric_info(metric).label} by seed, with differences from {reference}"
    shaded = "; shaded: beyond the equivalence margin" if found[0].margin and any(sides) else ""
    table = TextTable(f"{title[0].upper()}{title[1:]}{shaded}", ("Seed", reference, *headings), tuple(rows))
    return SeedTable(table, tuple(sides))


def _value(metric: str, value: float | None) -> str:
    return "-" if value is None else format_value(metric, value)
