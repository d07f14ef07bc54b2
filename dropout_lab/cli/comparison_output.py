"""Print a comparison on stdout: tables for a terminal, Markdown, CSV, JSON or LaTeX."""

import csv
import sys
from typing import Literal

from dropout_lab.cli.console import print_json, printable, stdout
from dropout_lab.cli.tables import print_table
from dropout_lab.comparison.results import Comparison
from dropout_lab.reporting.data import CSV_COLUMNS, csv_rows, json_value
from dropout_lab.reporting.latex import to_latex
from dropout_lab.reporting.markdown import to_markdown
from dropout_lab.reporting.view import view_comparison

ComparisonFormat = Literal["table", "markdown", "csv", "json", "latex"]

_STYLES = {
    "better": "bold green", "narrower": "bold green", "supported": "bold green", "equivalent": "bold cyan",
    "worse": "bold red", "refuted": "bold red",
}  # fmt: skip


def print_comparison(comparison: Comparison, format_: ComparisonFormat) -> None:
    """Print `comparison`; with CSV, what has no place in its rows goes to stderr."""
    if format_ == "json":
        print_json(json_value(comparison))
    elif format_ == "csv":
        _print_csv(comparison)
    elif format_ == "markdown":
        print(to_markdown(comparison))
    elif format_ == "latex":
        print(to_latex(comparison), end="")
    else:
        _print_tables(comparison)


def _print_csv(comparison: Comparison) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    writer.writerows(csv_rows(comparison))
    sys.stdout.flush()
    view = view_comparison(comparison)
    print(printable(view.design), file=sys.stderr)
    for heading, lines in view.sections:
        print(printable(f"{heading}: {' '.join(lines)}"), file=sys.stderr)


def _print_tables(comparison: Comparison) -> None:
    from rich.padding import Padding
    from rich.text import Text

    console, view = stdout(), view_comparison(comparison)

    def show(lines: list[tuple[str, str]]) -> None:
        for word, line in lines:
            # A rich text passes the console's own escaping by.
            text = Text.assemble(
                (f"{word.upper()}  " if word else "", _STYLES.get(word, "bold yellow")), printable(line)
            )
            console.print(Padding(text, (0, 0, 0, 2), expand=False))
        console.print()

    console.print(view.title, style="bold")
    if view.verdicts:
        console.print()
        show([(one.word.value, one.sentence) for one in view.verdicts])
    console.print(view.design)
    console.print()
    for table in view.results:
        print_table(console, table)
        console.print()
    for heading, lines in view.sections:
        console.print(heading, style="bold")
        show([("", line) for line in lines])
    if view.gaps is not None:
        print_table(console, view.gaps)
