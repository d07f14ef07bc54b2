"""Lines of text that fit a width, and never break inside a word."""

import re
from collections.abc import Sequence

from rich.cells import cell_len

from dropout_lab.reporting.tables import TextTable

GAP = 2
"""Columns between two cells."""

_UNIT = re.compile(r"\[[^\]]*\]\S*|\S+ ± \S+|\S+")
"""What stays on one line: a word, an interval, a mean with its spread."""
_NUMBER = re.compile(r"[<≈]? ?[+-]?[\d.,]+(%| s| points)?|-")


def wrap(text: str, width: int, first_width: int | None = None) -> list[str]:
    """Return the lines of `text`, at most `width` columns wide; a longer word has a line of its own.

    Args:
        text: Text; its line breaks stay.
        width: Columns of a line.
        first_width: Columns of the first line. [default: `width`]
    """
    lines: list[str] = []
    for line in text.split("\n"):
        room = width if lines or first_width is None else first_width
        if cell_len(line) <= room:
            lines.append(line)
            continue
        indent = line[: len(line) - len(line.lstrip(" "))]
        current = ""
        for unit in _UNIT.findall(line):
            joined = f"{current} {unit}" if current else indent + unit
            if current and cell_len(joined) > room:
                lines.append(current)
                room, joined = width, indent + unit
            current = joined
        lines.append(current)
    return lines


def column_widths(table: TextTable, width: int) -> list[int] | None:
    """Return the widths of the columns of `table` within `width`; None if that would break a word.

    Rows of one cell are section headings, which no column holds.
    """
    columns = _columns(table)
    widths = [max(map(cell_len, cells)) for cells in columns]
    least = [
        max(cell_len(unit) for cell in cells for unit in _UNIT.findall(cell) or [""]) for cells in columns
    ]
    room = width - GAP * (len(widths) - 1)
    while sum(widths) > room:
        wider = [index for index, one in enumerate(widths) if one > least[index]]
        if not wider:
            return None
        widths[max(wider, key=lambda index: widths[index])] -= 1
    return widths


def natural_width(table: TextTable) -> int:
    """Return how many columns `table` takes if no cell is wrapped."""
    widths = [max(map(cell_len, cells)) for cells in _columns(table)]
    return sum(widths) + GAP * (len(widths) - 1)


def number_columns(table: TextTable) -> list[bool]:
    """Return which columns hold numbers only, so that they are aligned to the right."""
    return [all(_NUMBER.fullmatch(cell) for cell in cells[1:] if cell) for cells in _columns(table)]


def _columns(table: TextTable) -> list[Sequence[str]]:
    rows = [row for row in table.rows if len(row) == len(table.headings)]
    return [list(cells) for cells in zip(table.headings, *rows, strict=True)]
