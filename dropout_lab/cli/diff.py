"""``dropout-lab diff``: print the differences between two runs."""

from typing import TYPE_CHECKING, Annotated

import typer

from dropout_lab.cli.console import TextOrJson, print_json, starting, stdout
from dropout_lab.cli.help import documented
from dropout_lab.cli.tables import print_table
from dropout_lab.reporting.tables import TextTable

if TYPE_CHECKING:
    from dropout_lab.comparison.run_diff import Change

TITLES = {
    "spec": "Spec",
    "run": "Run",
    "code": "Code",
    "versions": "Versions",
    "fingerprints": "Fingerprints",
    "metrics": "Results",
}
SHOWN_LENGTH = 16
"""Digits of a fingerprint that are printed."""


@documented(
    "Show the differences between two runs.",
    "Compares spec, device, code, versions, fingerprints and results.",
    examples=[
        "dropout-lab diff baseline-seed0 dropout-seed0",
        "dropout-lab diff study/dropout-seed0 other/dropout-seed0",
        "dropout-lab diff 820a03df 5fcca736 --format json",
    ],
)
def diff(
    first: Annotated[
        str, typer.Argument(metavar="FIRST", help="[EXPERIMENT/]RUN: run name, run ID, or unique ID prefix.")
    ],
    second: Annotated[str, typer.Argument(metavar="SECOND", help="Other run.")],
    format_: Annotated[TextOrJson, typer.Option("--format", help="Output format.")] = TextOrJson.TEXT,
) -> None:
    """Read two runs and print how they differ."""
    with starting("MLflow"):
        from dropout_lab.comparison.run_diff import diff_runs
        from dropout_lab.tracking import find_run

        one, other = find_run(first), find_run(second)
    changes = diff_runs(one, other)
    if format_ is TextOrJson.JSON:
        sections: dict[str, dict[str, object]] = {}
        for change in changes:
            sections.setdefault(change.section, {})[change.key] = [change.first, change.second]
        print_json({"first": one.run_id, "second": other.run_id, "differs": sections})
        return
    console = stdout()
    names = [f"{run.run_name}\n({run.run_id[:8]})" for run in (one, other)]
    if not changes:
        console.print(f"{names[0]} and {names[1]} are identical.".replace("\n", " "))
    for section, title in TITLES.items():
        found = [change for change in changes if change.section == section]
        if not found:
            continue
        headings = ("", *names, "difference") if section == "metrics" else ("", *names)
        print_table(console, TextTable(title, headings, tuple(tuple(_cells(change)) for change in found)))
        console.print()


def _cells(change: "Change") -> list[str]:
    from dropout_lab.evaluation.metrics import format_difference, format_value

    if change.section != "metrics":
        length = SHOWN_LENGTH if change.section in ("fingerprints", "code") else None
        return [change.key, *(_shown(value)[:length] for value in (change.first, change.second))]
    values = [
        format_value(change.key, value) if isinstance(value, float) else _shown(value)
        for value in (change.first, change.second)
    ]
    difference = change.difference
    return [change.key, *values, "" if difference is None else format_difference(change.key, difference)]


def _shown(value: object) -> str:
    if value is None:
        return "(none)"
    return "(not set)" if value == "" else str(value)
