"""``dropout-lab diff``: print the differences between two runs."""

from typing import TYPE_CHECKING, Annotated

import typer

from dropout_lab.cli.completion import complete_run
from dropout_lab.cli.console import TextOrJson, print_json, starting, stdout
from dropout_lab.cli.help import documented
from dropout_lab.cli.metric_names import BY_CLASS, is_incidental, label
from dropout_lab.cli.tables import print_table, print_text
from dropout_lab.evaluation.registry import CLASS_ACCURACY
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
    "Compares spec, device, code, versions, fingerprints and results; with --all also times and dropped "
    "fractions.",
    examples=[
        "dropout-lab diff baseline-seed0 dropout-seed0",
        "dropout-lab diff study/dropout-seed0 other/dropout-seed0",
        "dropout-lab diff 820a03df 5fcca736 --format json",
    ],
)
def diff(
    first: Annotated[
        str,
        typer.Argument(
            metavar="FIRST",
            help="[EXPERIMENT/]RUN: run name, run ID, or unique ID prefix.",
            autocompletion=complete_run,
        ),
    ],
    second: Annotated[str, typer.Argument(metavar="SECOND", help="Other run.", autocompletion=complete_run)],
    all_: Annotated[
        bool, typer.Option("--all", help="Show times, dropped fractions and single shifts too.")
    ] = False,
    format_: Annotated[TextOrJson, typer.Option("--format", help="Output format.")] = TextOrJson.TEXT,
) -> None:
    """Read two runs and print how they differ."""
    with starting("MLflow"):
        from dropout_lab.comparison.run_diff import diff_runs
        from dropout_lab.evaluation.metrics import is_detail
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
    if not changes:
        first, second = (f"{run.run_name} ({run.run_id[:8]})" for run in (one, other))
        print_text(console, f"{first} and {second} are identical.")
        return
    names = one.class_names
    rows: list[tuple[str, ...]] = [("run ID", one.run_id[:8], other.run_id[:8], "")]
    for section, title in TITLES.items():
        found = [change for change in changes if change.section == section]
        keys = [change.key for change in found]
        shown = [one for one in found if all_ or not (is_incidental(one.key) or is_detail(one.key, keys))]
        classes = [change for change in shown if CLASS_ACCURACY.member(change.key)]
        for heading, part in ((title, [one for one in shown if one not in classes]), (BY_CLASS, classes)):
            if part:
                rows += [(heading,), *(_cells(change, names) for change in part)]
    table = TextTable("", ("", one.run_name, other.run_name, "Difference"), tuple(rows))
    print_table(console, table, table.without("Difference"))


def _cells(change: "Change", classes: tuple[str, ...]) -> tuple[str, ...]:
    from dropout_lab.evaluation.metrics import format_difference, format_value

    if change.section != "metrics":
        length = SHOWN_LENGTH if change.section in ("fingerprints", "code") else None
        return (change.key, *(_shown(value)[:length] for value in (change.first, change.second)), "")
    values = [
        format_value(change.key, value) if isinstance(value, float) else _shown(value)
        for value in (change.first, change.second)
    ]
    difference = change.difference
    return (
        label(change.key, classes),
        *values,
        "" if difference is None else format_difference(change.key, difference),
    )


def _shown(value: object) -> str:
    if value is None:
        return "(none)"
    return "(not set)" if value == "" else str(value)
