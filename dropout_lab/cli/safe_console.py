"""A console for text that others wrote: run names, descriptions, what a tracking server says."""

from typing import Any

from rich.console import Console
from rich.text import Text

from dropout_lab.cli.console import printable


class SafeConsole(Console):
    """Shows every string as it is, in lines as in tables: style comes from arguments, never from the text."""

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        """Return `text` for the screen; rich calls this for every string that it is given."""
        return super().render_str(printable(text), **options)
