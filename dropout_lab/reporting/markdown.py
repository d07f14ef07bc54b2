"""A comparison as Markdown, for a README or a pull request."""

import re

from dropout_lab.comparison.results import Comparison
from dropout_lab.reporting.bibliography import references
from dropout_lab.reporting.methods import methods_paragraph
from dropout_lab.reporting.tables import TEXT_COLUMNS, TextTable
from dropout_lab.reporting.view import view_comparison


def to_markdown(comparison: Comparison) -> str:
    """Return `comparison` as GitHub's Markdown, with a methods paragraph and its references."""
    view = view_comparison(comparison)
    parts = [f"### {escape(view.title)}"]
    if view.verdicts:
        lines = [f"{one.word.value}: {one.statement}" for one in view.verdicts]
        parts.append(_list("Verdict", lines))
    parts.append(escape(view.design))
    parts += [_table(table) for table in view.results]
    parts += [_list(heading, list(lines)) for heading, lines in view.sections]
    if view.gaps is not None:
        parts.append(_table(view.gaps))
    if comparison.differences:
        parts.append(f"**Methods**\n\n{escape(methods_paragraph(comparison))}")
        parts.append(_list("References", [one.text for one in references(comparison)]))
    return "\n\n".join(parts)


def escape(text: str) -> str:
    """Return `text` without the characters by which a name could become a link, a tag or a new cell."""
    visible = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text.replace("\n", " "))
    return re.sub(r"([\\`*\[\]|<>])", r"\\\1", visible)


def _table(table: TextTable) -> str:
    rule = ["---" if heading in TEXT_COLUMNS else "---:" for heading in table.headings]
    rows = [" | ".join(map(escape, row)) for row in (table.headings, *table.rows)]
    body = "\n".join(f"| {row} |" for row in (rows[0], " | ".join(rule), *rows[1:]))
    return f"**{escape(table.title)}**\n\n{body}"


def _list(heading: str, lines: list[str]) -> str:
    return "\n".join([f"**{heading}**", "", *(f"- {escape(line)}" for line in lines)])
