"""A publication, as text and as BibTeX."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A publication.

    Attributes:
        key: Its BibTeX key.
        authors: Each as ``Family, Initials``; a single name stands alone.
        journal: Empty for a book, which has a publisher.
        volume: With the issue in parentheses, if any.
    """

    key: str
    authors: tuple[str, ...]
    year: int
    title: str
    journal: str = ""
    volume: str = ""
    pages: str = ""
    publisher: str = ""
    doi: str = ""

    @property
    def text(self) -> str:
        """The reference in one line."""
        authors = ", ".join(author.replace(",", "") for author in self.authors)
        where = f"{self.journal} {self.volume}:{self.pages}" if self.journal else self.publisher
        doi = f" doi:{self.doi}" if self.doi else ""
        return f"{authors} ({self.year}). {self.title}. {where}.{doi}"

    @property
    def bibtex(self) -> str:
        """The reference as a BibTeX entry."""
        volume, _, issue = self.volume.rstrip(")").partition("(")
        fields = {
            "author": " and ".join(map(_with_points, self.authors)),
            # Braces keep the capitals of names.
            "title": f"{{{self.title}}}",
            "journal": self.journal,
            "volume": volume,
            "number": issue,
            "pages": self.pages.replace("-", "--"),
            "publisher": self.publisher,
            "year": str(self.year),
            "doi": self.doi,
        }
        lines = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items() if value)
        return f"@{'article' if self.journal else 'book'}{{{self.key},\n{lines}}}"


def _with_points(author: str) -> str:
    """Return ``Jennison, C.`` for ``Jennison, C``."""
    family, comma, initials = author.partition(", ")
    return family + comma + " ".join(f"{initial}." for initial in initials)
