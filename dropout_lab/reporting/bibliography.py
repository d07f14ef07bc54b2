"""The references that a comparison's methods need, as text and as BibTeX."""

from collections.abc import Iterable
from dataclasses import dataclass

from dropout_lab.comparison.results import Comparison
from dropout_lab.comparison.standing import Stage


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


_REFERENCES = {
    "dropout": Reference(
        key="srivastava2014dropout",
        authors=("Srivastava, N", "Hinton, G", "Krizhevsky, A", "Sutskever, I", "Salakhutdinov, R"),
        year=2014,
        title="Dropout: a simple way to prevent neural networks from overfitting",
        journal="Journal of Machine Learning Research",
        volume="15",
        pages="1929-1958",
    ),
    "t": Reference(
        key="student1908",
        authors=("Student",),
        year=1908,
        title="The probable error of a mean",
        journal="Biometrika",
        volume="6(1)",
        pages="1-25",
        doi="10.1093/biomet/6.1.1",
    ),
    "Welch": Reference(
        key="welch1947",
        authors=("Welch, BL",),
        year=1947,
        title="The generalization of 'Student's' problem when several different population variances are "
        "involved",
        journal="Biometrika",
        volume="34",
        pages="28-35",
        doi="10.1093/biomet/34.1-2.28",
    ),
    "bootstrap": Reference(
        key="hall1988",
        authors=("Hall, P",),
        year=1988,
        title="Theoretical comparison of bootstrap confidence intervals",
        journal="Annals of Statistics",
        volume="16(3)",
        pages="927-953",
        doi="10.1214/aos/1176350933",
    ),
    "sign-flip": Reference(
        key="fisher1935",
        authors=("Fisher, RA",),
        year=1935,
        title="The Design of Experiments",
        publisher="Oliver and Boyd, Edinburgh",
    ),
    "Wilcoxon": Reference(
        key="wilcoxon1945",
        authors=("Wilcoxon, F",),
        year=1945,
        title="Individual comparisons by ranking methods",
        journal="Biometrics Bulletin",
        volume="1(6)",
        pages="80-83",
        doi="10.2307/3001968",
    ),
    "Holm": Reference(
        key="holm1979",
        authors=("Holm, S",),
        year=1979,
        title="A simple sequentially rejective multiple test procedure",
        journal="Scandinavian Journal of Statistics",
        volume="6(2)",
        pages="65-70",
    ),
    "equivalence": Reference(
        key="schuirmann1987",
        authors=("Schuirmann, DJ",),
        year=1987,
        title="A comparison of the two one-sided tests procedure and the power approach for assessing the "
        "equivalence of average bioavailability",
        journal="Journal of Pharmacokinetics and Biopharmaceutics",
        volume="15",
        pages="657-680",
        doi="10.1007/BF01068419",
    ),
    "sequential": Reference(
        key="pocock1977",
        authors=("Pocock, SJ",),
        year=1977,
        title="Group sequential methods in the design and analysis of clinical trials",
        journal="Biometrika",
        volume="64(2)",
        pages="191-199",
        doi="10.1093/biomet/64.2.191",
    ),
    "repeated": Reference(
        key="jennison1989",
        authors=("Jennison, C", "Turnbull, BW"),
        year=1989,
        title="Interim analyses: the repeated confidence interval approach",
        journal="Journal of the Royal Statistical Society B",
        volume="51(3)",
        pages="305-361",
        doi="10.1111/j.2517-6161.1989.tb01433.x",
    ),
    "effect": Reference(
        key="lakens2013",
        authors=("Lakens, D",),
        year=2013,
        title="Calculating and reporting effect sizes to facilitate cumulative science",
        journal="Frontiers in Psychology",
        volume="4",
        pages="863",
        doi="10.3389/fpsyg.2013.00863",
    ),
}


def references(comparison: Comparison) -> list[Reference]:
    """Return the references of the methods used, in order of author."""
    return sorted((_REFERENCES[name] for name in _used(comparison)), key=lambda one: one.text)


def _used(comparison: Comparison) -> Iterable[str]:
    methods = " ".join(one.method for one in comparison.differences)
    spec = comparison.runs[0].spec if comparison.runs else {}
    if any(key.startswith("model.dropout") for key in spec):
        yield "dropout"
    yield from (name for name in ("Welch", "bootstrap", "sign-flip") if name in methods)
    if "rank" in methods:
        yield "Wilcoxon"
    if "paired t" in methods:
        yield "t"
    if any(one.margin is not None for one in comparison.differences):
        yield "equivalence"
    if any(one.num_tests > 1 for one in comparison.differences):
        yield "Holm"
    if any(one.stage is Stage.SEQUENTIAL for one in comparison.standings):
        yield from ("sequential", "repeated")
    yield "effect"
