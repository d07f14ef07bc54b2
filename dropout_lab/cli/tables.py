"""Tables of text that fit the terminal, alike in all commands."""

from dataclasses import dataclass
from itertools import compress
from typing import TYPE_CHECKING

from dropout_lab.cli.console import NO_LIMIT

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


@dataclass(frozen=True)
class TextTable:
    """A table as it is read: all cells are text, the first column is a name.

    Attributes:
        title: Shown above it; empty for none.
        headings: Of the columns.
        rows: Of cells, as many as there are headings.
        details: Headings of the columns that the rest can be understood without.
    """

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    details: tuple[str, ...] = ()

    def without_details(self) -> "TextTable":
        """Return the table for where there is no room for all of it."""
        shown = [heading not in self.details for heading in self.headings]
        rows = (tuple(compress(row, shown)) for row in self.rows)
        return TextTable(self.title, tuple(compress(self.headings, shown)), tuple(rows))


def print_table(console: "Console", table: TextTable) -> None:
    """Print `table`, without its details where the console is too narrow for them."""
    drawn = _drawn(table)
    if console.measure(drawn, options=console.options.update_width(NO_LIMIT)).maximum > console.width:
        drawn = _drawn(table.without_details())
    if table.title:
        console.print(table.title, style="bold")
    console.print(drawn)


def _drawn(table: TextTable) -> "Table":
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    drawn = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for heading in table.headings:
        drawn.add_column(heading, overflow="fold", no_wrap=heading == "Verdict")
    for row in table.rows:
        drawn.add_row(*row)
    return drawn
