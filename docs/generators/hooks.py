"""Fills the generated parts of pages: MkDocs calls `on_page_markdown` for each page of the site.

A page says where with a comment, ``<!-- generated: spec -->``. What comes there follows the code, so it is
not committed.
"""

import re
from collections.abc import Callable
from typing import Any

from command_reference import command_reference
from publications import publications
from python_reference import python_reference
from spec_reference import spec_reference

MARKER = re.compile(r"^<!-- generated: (\w+) -->$", re.MULTILINE)
SEARCH = 'data-md-component="search" role="dialog"'
GENERATORS: dict[str, Callable[[], str]] = {
    "commands": command_reference,
    "publications": publications,
    "python": python_reference,
    "spec": spec_reference,
}


def on_page_markdown(markdown: str, **_: Any) -> str:
    return MARKER.sub(lambda marker: GENERATORS[marker[1]](), markdown)


def on_post_page(output: str, **_: Any) -> str:
    """Name the dialog of the theme's search, for screen readers."""
    return output.replace(SEARCH, f'{SEARCH} aria-label="Search"')
