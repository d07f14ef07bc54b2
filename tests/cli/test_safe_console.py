import io

import pytest
from rich.padding import Padding
from rich.table import Table

from dropout_lab.cli.safe_console import SafeConsole


@pytest.mark.parametrize("place", ["line", "indented line", "cell", "heading", "title"])
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[red]name[/red]", "[red]name[/red]"),
        ("[/]", "[/]"),
        ("[link=https://example.com]name[/link]", "[link=https://example.com]name[/link]"),
        (":warning:", ":warning:"),
        ("\x1b[31mname", "\\x1b[31mname"),
        ("\x1b]8;;https://example.com\x07name", "\\x1b]8;;https://example.com\\x07name"),
        ("name\rother", "name\\x0dother"),
        ("\u202ename", "\\x202ename"),
        ("größer ▲", "größer ▲"),
    ],
)
def test_text_is_shown_and_not_obeyed(place, text, shown):
    file = io.StringIO()
    console = SafeConsole(file=file, width=120, force_terminal=True, color_system=None)
    if place == "line":
        console.print(text)
    elif place == "indented line":
        console.print(Padding(text, (0, 0, 0, 2)))
    else:
        title = text if place == "title" else None
        table = Table(text if place == "heading" else "", title=title, min_width=80)
        table.add_row(text if place == "cell" else "")
        console.print(table)
    assert shown in file.getvalue()
    assert not {"\x1b", "\x07", "\r", "\u202e"} & set(file.getvalue())
