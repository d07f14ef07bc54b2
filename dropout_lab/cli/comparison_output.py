"""Prints a comparison on stdout: tables for a terminal, Markdown, CSV or JSON."""

import csv
import re
import sys
from typing import Literal

from dropout_lab.cli.comparison_tables import (
    CSV_COLUMNS,
    csv_rows,
    difference_table,
    figure_table,
    gap_table,
    json_value,
    sections,
)
from dropout_lab.cli.console import print_json, printable, stdout
from dropout_lab.cli.tables import TextTable, print_table
from dropout_lab.comparison.results import Comparison

ComparisonFormat = Literal["table", "markdown", "csv", "json"]


def print_comparison(comparison: Comparison, format_: ComparisonFormat) -> None:
    """Print `comparison`; with CSV, what has no place in its rows goes to stderr."""
    if format_ == "json":
        print_json(json_value(comparison))
    elif format_ == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(CSV_COLUMNS)
        writer.writerows(csv_rows(comparison))
        sys.stdout.flush()
        for heading, lines in sections(comparison):
            if heading != "Verdicts":
                print(printable(f"{heading}: {' '.join(lines)}"), file=sys.stderr)
    elif format_ == "markdown":
        print(to_markdown(comparison))
    else:
        _print_tables(comparison)


def _tables(comparison: Comparison) -> tuple[list[TextTable], list[TextTable]]:
    """Return the tables before the verdicts, and those after."""
    after = [difference_table(comparison), gap_table(comparison)]
    return [figure_table(comparison)], [table for table in after if table.rows]


def _print_tables(comparison: Comparison) -> None:
    from rich.padding import Padding

    console = stdout()

    def show(table: TextTable) -> None:
        print_table(console, table)
        console.print()

    def tell(heading: str, lines: list[str]) -> None:
        console.print(heading, style="bold")
        for line in lines:
            console.print(Padding(line, (0, 0, 0, 2), expand=False))
        console.print()

    before, after = _tables(comparison)
    found = dict(sections(comparison))
    for table in before:
        show(table)
    for heading in ("Verdicts", "Claims"):
        if heading in found:
            tell(heading, found.pop(heading))
    for table in after:
        show(table)
    for heading, lines in found.items():
        tell(heading, lines)


def to_markdown(comparison: Comparison) -> str:
    """Return `comparison` as GitHub's Markdown, ready for a README or a pull request."""
    before, after = _tables(comparison)
    found = sections(comparison)
    first = [section for section in found if section[0] in ("Verdicts", "Claims")]
    parts = [f"### {_escaped(comparison.experiment)}", *map(_markdown_table, before)]
    parts += [_markdown_list(*section) for section in first]
    parts += [f"**{_escaped(table.title)}**\n\n{_markdown_table(table)}" for table in after]
    parts += [_markdown_list(*section) for section in found if section not in first]
    return "\n\n".join(parts)


def _markdown_table(table: TextTable) -> str:
    rule = " | ".join(["---"] + ["---:"] * (len(table.headings) - 1))
    rows = [" | ".join(map(_escaped, row)) for row in (table.headings, *table.rows)]
    return "\n".join(f"| {row} |" for row in (rows[0], rule, *rows[1:]))


def _markdown_list(heading: str, lines: list[str]) -> str:
    return "\n".join([f"**{heading}**", "", *(f"- {_escaped(line)}" for line in lines)])


def _escaped(text: str) -> str:
    """Return `text` without the characters by which a name could become a link, a tag or a new cell."""
    return re.sub(r"([\\`*\[\]|<>])", r"\\\1", printable(text).replace("\n", " "))
