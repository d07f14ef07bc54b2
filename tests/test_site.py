"""The documentation site: its pages are complete, and `make docs` builds it without a warning."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

import dropout_lab
from dropout_lab.cli.app import app
from dropout_lab.reporting.bibliography import all_references
from dropout_lab.spec import json_schema

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"


class Ids(HTMLParser):
    """The ids of a page's elements, and the addresses that it loads something from."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.ids.add(found.get("id") or "")
        address = found.get("href" if tag == "link" else "src") or ""
        if tag in ("link", "script", "img", "source", "iframe") and found.get("rel") != "canonical":
            self.loaded.append(address)


def read(page: Path) -> Ids:
    parser = Ids()
    parser.feed(page.read_text(encoding="utf-8"))
    return parser


def leaves(entries: list) -> list[str]:
    found = []
    for entry in entries:
        value = next(iter(entry.values())) if isinstance(entry, dict) else entry
        found += leaves(value) if isinstance(value, list) else [value]
    return found


def test_the_navigation_names_every_page():
    settings = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    pages = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    named = leaves(settings["nav"])
    assert len(named) == len(set(named))
    assert {page for page in pages if not page.startswith("study/")} == set(named)


def test_screenshots_are_small_and_load_nothing():
    images = list((DOCS / "screenshots").iterdir())
    assert len(images) >= 5
    assert all(image.stat().st_size < 200_000 for image in images)
    assert not [
        image for image in images if image.suffix == ".svg" and re.search(r'url\("?http', image.read_text())
    ]


@pytest.mark.slow
def test_the_site_is_built_without_a_warning_and_loads_nothing_from_elsewhere(site):
    pages = list(site.rglob("*.html"))
    assert len(pages) > 15
    for page in pages:
        assert [address for address in read(page).loaded if re.match(r"(https?:)?//", address)] == [], page
    assert not list(site.rglob("*.py"))


@pytest.mark.slow
def test_the_references_are_complete(site):
    schema = json_schema()
    spec = (site / "reference" / "spec.html").read_text(encoding="utf-8")
    groups = [schema, *(schema["$defs"][name] for name in ("ModelSpec", "TrainingSpec", "DataSpec"))]
    assert [key for group in groups for key in group["properties"] if f"<code>{key}</code>" not in spec] == []

    assert set(get_command(app).commands) <= read(site / "reference" / "commands.html").ids

    public = {f"dropout_lab.{name}" for name in dropout_lab.__all__ if not name.startswith("_")}
    assert public <= read(site / "reference" / "python.html").ids

    publications = (site / "references.html").read_text(encoding="utf-8")
    assert [one.key for one in all_references() if one.key not in publications] == []
