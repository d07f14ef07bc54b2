"""The publications behind the methods, from the bibliography of the report."""

from pieces import block

from dropout_lab.reporting.bibliography import all_references


def publications() -> str:
    found = all_references()
    listed = "\n".join(f"- {reference.text.replace('*', '')}" for reference in found)
    return f"{listed}\n\n## BibTeX\n\n{block(chr(10).join(one.bibtex for one in found), 'bibtex')}"
