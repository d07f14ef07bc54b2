"""A comparison as a LaTeX table (booktabs) and a methods paragraph, for a paper."""

from dropout_lab.comparison.results import Comparison
from dropout_lab.reporting.bibliography import references
from dropout_lab.reporting.methods import methods_paragraph
from dropout_lab.reporting.tables import TEXT_COLUMNS, TextTable
from dropout_lab.reporting.view import view_comparison

_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{",
    "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "±": r"$\pm$", "<": "$<$",
    ">": "$>$", "|": r"\textbar{}", "·": r"\textperiodcentered{}", '"': "''", "`": r"\textasciigrave{}",
    "[": "{[}", "]": "{]}",
}  # fmt: skip


def to_latex(comparison: Comparison) -> str:
    """Return a table for LaTeX with the package booktabs, the verdicts, the methods and the references.

    What LaTeX has no common sign for is left out: it compiles with pdflatex and its default fonts.
    """
    view = view_comparison(comparison)
    parts = [_table(table.without_details()) for table in view.results]
    lines = [f"% {escape(view.title)}", "% Needs: \\usepackage{booktabs}", *parts]
    lines += [escape(one.sentence) + "\n" for one in view.verdicts]
    lines += [
        escape(line) + "\n" for heading, claims in view.sections if heading == "Claims" for line in claims
    ]
    if comparison.differences:
        lines.append(f"\\paragraph{{Methods.}} {escape(methods_paragraph(comparison))}\n")
        entries = "\n".join(one.bibtex for one in references(comparison))
        lines += [f"% {line}" for line in entries.splitlines()]
    return "\n".join(lines).rstrip() + "\n"


def escape(text: str) -> str:
    """Return `text` as LaTeX shows it unchanged."""
    return "".join(_SPECIAL.get(c, c if c.isascii() and c.isprintable() else " ") for c in text)


def _table(table: TextTable) -> str:
    columns = "".join("l" if heading in TEXT_COLUMNS else "r" for heading in table.headings)
    rows = [" & ".join(map(escape, row)) + r" \\" for row in table.rows]
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{escape(table.title)}.}}",
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            " & ".join(map(escape, table.headings)) + r" \\",
            r"\midrule",
            *rows,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )
