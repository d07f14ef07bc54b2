"""Text tables that fit the terminal, in the same style in all commands."""

from typing import TYPE_CHECKING

from dropout_lab.cli.console import NO_LIMIT
from dropout_lab.reporting.tables import TextTable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


def print_table(console: "Console", table: TextTable) -> None:
    """Print `table`, without its details if the console is too narrow."""
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
