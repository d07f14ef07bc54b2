"""Tables of text, the same in every output format."""

from dataclasses import dataclass, replace
from itertools import compress

TEXT_COLUMNS = frozenset(
    {
        "Metric",
        "Condition",
        "Compared with",
        "Not told apart from",
        "Posterior probability",
        "Verdict",
        "True class",
        "Right",
        "Mistaken for",
    }
)
"""Headings of columns that hold words; all others hold numbers and are aligned to the right."""
NAMES = ("Metric", "Condition")
"""Headings of columns that name the row."""


@dataclass(frozen=True)
class TextTable:
    """A table of text; the first column is a name.

    Attributes:
        title: Shown above it; empty for none.
        headings: Column headings.
        rows: Rows of cells, as many as there are headings.
        details: Headings of the columns left out if there is no room.
    """

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    details: tuple[str, ...] = ()

    def without_details(self) -> "TextTable":
        """Return the table for a narrow screen."""
        return self.without(*self.details)

    def without(self, *headings: str) -> "TextTable":
        """Return the table without the columns of these headings."""
        shown = [heading not in headings for heading in self.headings]
        rows = (tuple(compress(row, shown)) for row in self.rows)
        return TextTable(self.title, tuple(compress(self.headings, shown)), tuple(rows))

    def only_details(self) -> "TextTable":
        """Return the columns that `without_details` leaves out, with the names of rows that have any."""
        rest = [one for one in self.headings if one not in NAMES and one not in self.details]
        kept = self.without(*rest)
        num_names = sum(heading in NAMES for heading in kept.headings)
        rows = tuple(row for row in kept.rows if any(row[num_names:]))
        return replace(kept, title=f"{self.title}: details", rows=rows)

    def leading_with(self, heading: str) -> "TextTable":
        """Return the table with the column of `heading`, if any, right after the names of the rows."""
        front = (*NAMES, heading)
        rank = [front.index(one) if one in front else len(front) for one in self.headings]
        order = sorted(range(len(rank)), key=lambda column: rank[column])
        rows = tuple(tuple(row[column] for column in order) for row in self.rows)
        return replace(self, headings=tuple(self.headings[column] for column in order), rows=rows)
