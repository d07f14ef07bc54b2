"""A console for text that others wrote: run names, descriptions, messages of a tracking server."""

from typing import Any

from rich.console import Console
from rich.text import Text

from dropout_lab.cli.console import printable
from dropout_lab.cli.process import stand_in


class SafeConsole(Console):
    """Print every string as it is, in lines as in tables: style comes from arguments, never from the text.

    What goes to a file or a pipe has no spaces at the ends of its lines.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        """Return `text` for the screen; rich calls this for every string that it is given.

        Stand-ins may be longer than the characters that they replace, so they come before the layout.
        """
        return super().render_str(self.clean(text), **options)

    def clean(self, text: str) -> str:
        """Return `text` without secrets and control characters, and with stand-ins in its encoding."""
        return stand_in(printable(text), self.encoding)

    def print(self, *objects: Any, **options: Any) -> None:
        """Print `objects`, as `rich.console.Console.print` does."""
        if self.is_terminal:
            super().print(*objects, **options)
            return
        with self.capture() as printed:
            super().print(*objects, **options)
        self.file.write("\n".join(line.rstrip(" ") for line in printed.get().split("\n")))
