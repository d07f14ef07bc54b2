"""``dropout-lab delete``: delete experiments and runs for good."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from dropout_lab.cli.completion import complete_experiment_or_run
from dropout_lab.cli.console import starting
from dropout_lab.cli.help import documented
from dropout_lab.errors import UsageError
from dropout_lab.evaluation.metrics import format_count

if TYPE_CHECKING:
    from dropout_lab.runs.deleting import Deletion


@documented(
    "Delete experiments or runs for good.",
    "Deletes runs, artifacts and models, and frees the names of experiments. MLflow itself keeps what it "
    "deletes, and its names. Asks first. Runs that are being trained are refused.",
    examples=[
        "dropout-lab delete study",
        "dropout-lab delete study/dropout-seed0 5fcca736 --yes",
    ],
)
def delete(
    references: Annotated[
        list[str],
        typer.Argument(
            metavar="EXPERIMENT|RUN",
            help="Experiments, or runs: run name, run ID, or unique ID prefix.",
            autocompletion=complete_experiment_or_run,
        ),
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
) -> None:
    """Delete what is named, after a confirmation."""
    with starting("MLflow"):
        from dropout_lab.cli.sentences import answer, ask, warn
        from dropout_lab.runs.deleting import delete as delete_planned
        from dropout_lab.runs.deleting import plan_deletion

        deletion = plan_deletion(references)
    content = _content(deletion)
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError(
                f"This would delete {content}. --yes is required without a terminal.",
                hint="To keep a copy, run `dropout-lab export EXPERIMENT --to FOLDER` first.",
            )
        if not ask(f"Delete {content} for good?"):
            answer("Nothing was deleted.")
            return
    delete_planned(deletion, warn)
    answer(f"Deleted {content}.")
    if not deletion.doomed.is_permanent:
        warn("The MLflow server keeps the entries, marked as deleted, until its operator runs `mlflow gc`.")


def _content(deletion: "Deletion") -> str:
    """Return what is deleted, in words."""
    doomed = deletion.doomed
    parts = [f"experiment {name}" for name in doomed.experiments.values()]
    single = len(doomed.runs) == 1 and not parts
    runs = f"run {doomed.runs[0].info.run_name}" if single else format_count(len(doomed.runs), "MLflow run")
    counts = {
        "model": doomed.models,
        "registered version": doomed.versions,
        "saved state": deletion.workspaces,
    }
    parts += [runs, *(format_count(len(found), noun) for noun, found in counts.items() if found)]
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))
