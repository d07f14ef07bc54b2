"""The experiments of the tracking store, as ``dropout-lab runs --all`` lists them."""

from collections.abc import Mapping, Sequence
from typing import Any

from dropout_lab.cli.console import TextOrJson, print_json, stdout
from dropout_lab.cli.tables import print_table, print_text
from dropout_lab.records import RunRecord, RunStatus
from dropout_lab.reporting.tables import TextTable
from dropout_lab.tracking import list_experiments, read_runs


def list_with_runs() -> dict[str, list[RunRecord]]:
    """Return the experiments that have runs with these, the one used last first."""
    found = {one.name: runs for one in list_experiments() if (runs := read_runs(one.name))}
    latest = {name: max(run.start_time for run in runs) for name, runs in found.items()}
    return {name: found[name] for name in sorted(found, key=latest.__getitem__, reverse=True)}


def print_experiments(found: Mapping[str, Sequence[RunRecord]], format_: TextOrJson) -> None:
    """Print experiments with the number of their runs, their conditions and when they were last used."""
    facts: list[dict[str, Any]] = [
        {
            "experiment": name,
            "num_runs": len(runs),
            "num_finished": sum(run.status is RunStatus.FINISHED for run in runs),
            "conditions": list(dict.fromkeys(run.condition for run in runs)),
            "last_start_time": max(run.start_time for run in runs),
        }
        for name, runs in found.items()
    ]
    if format_ is TextOrJson.JSON:
        print_json(facts)
        return
    console = stdout()
    if not facts:
        print_text(console, "No runs.")
        return
    rows = tuple(
        (
            name,
            f"{one['num_finished']}/{one['num_runs']}",
            ", ".join(one["conditions"]),
            f"{one['last_start_time'].astimezone():%Y-%m-%d %H:%M}",
        )
        for name, one in zip(found, facts, strict=True)
    )
    print_table(console, TextTable("", ("Experiment", "Finished runs", "Conditions", "Last started"), rows))
