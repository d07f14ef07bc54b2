"""Text on the terminal, in the same style in all commands: tables, facts and sentences."""

from collections.abc import Mapping
from itertools import zip_longest
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from dropout_lab.cli.layout import GAP, column_widths, natural_width, number_columns, wrap
from dropout_lab.reporting.tables import TextTable

if TYPE_CHECKING:
    from dropout_lab.cli.safe_console import SafeConsole

_STYLES = {
    "better": "bold green", "narrower": "bold green", "supported": "bold green", "finished": "green",
    "ok": "green",
    "equivalent": "bold cyan", "running": "cyan",
    "worse": "bold red", "refuted": "bold red", "failed": "bold red", "fail": "bold red", "error": "bold red",
    "undecided": "bold yellow", "interim": "bold yellow", "higher": "bold yellow", "lower": "bold yellow",
    "wider": "bold yellow", "killed": "yellow", "interrupted": "bold yellow",
}  # fmt: skip


def style_of(word: str) -> str:
    """Return the style of a verdict, a state of a run or the result of a check; none for other words."""
    return _STYLES.get(word.partition(",")[0].strip(" :").lower(), "")


_SHORTEST_VALUE = 24
"""Columns that a value has at least beside its label."""


def print_table(console: "SafeConsole", table: TextTable, *narrower: TextTable) -> None:
    """Print the first of the tables that fits the console, with and then without its details.

    If none fits, wraps the cells of the last one between words. If a word is still too long, prints each row
    of `table` as a block of lines.

    Args:
        console: Where it is printed.
        table: The table. A row of one cell is the heading of a section.
        narrower: The same with less, for narrow terminals, in the order in which they are tried.
    """
    variants = [
        _printable(one, console) for each in (table, *narrower) for one in (each, each.without_details())
    ]
    if table.title:
        print_text(console, table.title, style="bold")
    shown = next((one for one in variants if natural_width(one) <= console.width), variants[-1])
    widths = column_widths(shown, console.width)
    if widths is None:
        _print_blocks(console, variants[1])
    else:
        _print_grid(console, shown, widths)


def print_text(
    console: "SafeConsole", text: str, *, indent: int = 0, style: str = "", lead: str = ""
) -> None:
    """Print sentences, wrapped between words if the console is a terminal.

    Args:
        console: Where they are printed.
        text: The sentences; line breaks stay.
        indent: Columns to their left.
        style: Style of the text.
        lead: A word with its own style, and the space after it, printed before the text.
    """
    room = console.width - indent
    first = Text(lead, style_of(lead))
    for line in wrap(console.clean(text), room, room - len(first)):
        _print_line(console, Text(" " * indent).append(first).append(line, style))
        first = Text()


def print_facts(console: "SafeConsole", facts: Mapping[str, str], *, indent: int = 0, width: int = 0) -> None:
    """Print labels with their values, one below the other.

    Args:
        console: Where they are printed.
        facts: Values by label.
        indent: Columns to their left.
        width: Columns of the labels. [default: those of the longest]
    """
    cleaned = {console.clean(label): console.clean(value) for label, value in facts.items()}
    width = max([width, *map(cell_len, cleaned)])
    room = console.width - indent - width - GAP
    for label, value in cleaned.items():
        lines = wrap(value, room)
        if any(cell_len(line) > room for line in lines) or (len(lines) > 1 and room < _SHORTEST_VALUE):
            _print_line(console, Text(" " * indent + label, "bold"))
            print_text(console, value, indent=indent + GAP)
            continue
        for start, line in zip_longest([label], lines, fillvalue=""):
            beside = Text(" " * indent).append(_padded(start, width)).append(" " * GAP)
            _print_line(console, beside.append(line, style_of(line)))


def _printable(table: TextTable, console: "SafeConsole") -> TextTable:
    """Return `table` as the console shows it: stand-ins may be longer than what they replace."""
    return TextTable(
        table.title,
        tuple(map(console.clean, table.headings)),
        tuple(tuple(map(console.clean, row)) for row in table.rows),
        table.details,
    )


def _print_grid(console: "SafeConsole", table: TextTable, widths: list[int]) -> None:
    is_number = number_columns(table)

    def show(cells: tuple[str, ...], style: str = "") -> None:
        wrapped = (wrap(cell, width) for cell, width in zip(cells, widths, strict=True))
        for parts in zip_longest(*wrapped, fillvalue=""):
            line = Text()
            for part, cell, width, right in zip(parts, cells, widths, is_number, strict=True):
                padded = _padded(part, width, right=right)
                line.append(padded, style or style_of(cell)).append(" " * GAP)
            _print_line(console, line)

    show(table.headings, "bold")
    _print_line(console, Text("─" * (sum(widths) + GAP * (len(widths) - 1))))
    for row in table.rows:
        if len(row) == len(table.headings):
            show(row)
        else:
            print_text(console, row[0], style="bold")


def _print_blocks(console: "SafeConsole", table: TextTable) -> None:
    for row in table.rows:
        print_text(console, row[0], style="bold")
        facts = {heading: cell for heading, cell in zip(table.headings[1:], row[1:], strict=False) if cell}
        print_facts(console, facts, indent=GAP)


def _padded(text: str, width: int, *, right: bool = False) -> str:
    missing = " " * (width - cell_len(text))
    return missing + text if right else text + missing


def _print_line(console: "SafeConsole", line: Text) -> None:
    line.rstrip()
    console.print(line, soft_wrap=True)
