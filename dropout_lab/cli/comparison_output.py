"""Print a comparison on stdout: tables for a terminal, Markdown, CSV, JSON or LaTeX."""

import csv
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from dropout_lab.cli.comparison_tables import result_tables
from dropout_lab.cli.console import is_quiet, is_verbose, print_json, printable, stdout
from dropout_lab.cli.tables import print_table, print_text
from dropout_lab.comparison.claims import ClaimResult, ClaimStatus
from dropout_lab.comparison.results import Comparison
from dropout_lab.errors import UsageError
from dropout_lab.reporting.data import CSV_COLUMNS, csv_rows, json_value
from dropout_lab.reporting.latex import to_latex
from dropout_lab.reporting.markdown import to_markdown
from dropout_lab.reporting.pair_tables import pair_table, rank_table
from dropout_lab.reporting.view import ComparisonView, view_comparison

if TYPE_CHECKING:
    from dropout_lab.cli.safe_console import SafeConsole

ComparisonFormat = Literal["table", "markdown", "csv", "json", "latex"]


def print_comparisons(comparisons: Sequence[Comparison], format_: ComparisonFormat) -> None:
    """Print one comparison after the other; as JSON, several as one list.

    Raises:
        UsageError: If several are to be printed in a format that holds one.
    """
    if len(comparisons) > 1 and format_ in ("csv", "latex"):
        raise UsageError(f"--format: {format_} takes one experiment")
    if len(comparisons) > 1 and format_ == "json":
        print_json([json_value(one) for one in comparisons])
        return
    for index, comparison in enumerate(comparisons):
        if index:
            print()
        print_comparison(comparison, format_)


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
    console, view = stdout(), view_comparison(comparison)
    if is_quiet():
        print_verdicts(console, view)
        return
    print_text(console, view.title, style="bold")
    if view.verdicts:
        console.print()
        print_verdicts(console, view)
    console.print()
    print_table(console, *result_tables(comparison))
    console.print()
    if comparison.all_pairs is not None:
        for table in (
            pair_table(comparison.all_pairs, comparison.confidence),
            rank_table(comparison.all_pairs),
        ):
            print_table(console, table)
            console.print()
    print_text(console, view.design)
    for heading, lines in view.sections:
        console.print()
        if heading == "Claims":
            _print_claims(console, comparison.claims)
            continue
        print_text(console, heading, style="bold")
        for line in lines:
            print_text(console, line, indent=2)
    if view.gaps is not None and is_verbose():
        console.print()
        print_table(console, view.gaps)


def print_verdicts(console: "SafeConsole", view: ComparisonView) -> None:
    """Print the verdicts on the primary metric, each behind its word."""
    for one in view.verdicts:
        print_text(console, one.statement, indent=2, lead=f"{one.word.value.upper()}  ")


def _print_claims(console: "SafeConsole", claims: Sequence[ClaimResult]) -> None:
    num_supported = sum(one.status is ClaimStatus.SUPPORTED for one in claims)
    print_text(console, f"Claims: {num_supported} of {len(claims)} supported", style="bold")
    for one in claims:
        word = one.status.value
        print_text(console, one.sentence.removeprefix(f"{word}: "), indent=2, lead=f"{word.upper()}  ")
