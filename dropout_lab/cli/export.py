"""``dropout-lab export`` and ``import``: move experiments between folders, stores and servers."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from dropout_lab.cli.completion import complete_experiment
from dropout_lab.cli.console import starting
from dropout_lab.cli.help import documented
from dropout_lab.evaluation.metrics import format_count


@documented(
    "Write an experiment to a folder that `import` reads.",
    "The folder has runs with all metrics, tags, artifacts and models, and checksums. It can be imported "
    "into any tracking store.",
    examples=["dropout-lab export study --to study-2026"],
)
def export(
    experiment: Annotated[
        str,
        typer.Argument(metavar="EXPERIMENT", help="MLflow experiment.", autocompletion=complete_experiment),
    ],
    to: Annotated[Path, typer.Option(metavar="FOLDER", help="New folder.")],
) -> None:
    """Export one experiment."""
    with starting("MLflow"):
        from dropout_lab.api.moving import export_experiment
        from dropout_lab.cli.sentences import answer, warn

        done = export_experiment(experiment, to, note=warn)
    answer(f"Exported {format_count(len(done.run_ids), 'MLflow run')} of {done.name} to {done.folder}.")


@documented(
    "Import an experiment from a folder that `export` wrote.",
    "Checks all files first. Runs that exist are skipped, so the command can be repeated.",
    examples=[
        "dropout-lab import study-2026",
        "dropout-lab import study-2026 --experiment copy",
    ],
)
def import_(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder that `export` wrote.")],
    experiment: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="MLflow experiment. [default: the exported one]", show_default=False
        ),
    ] = None,
) -> None:
    """Import one experiment."""
    with starting("MLflow"):
        from dropout_lab.api.moving import import_experiment
        from dropout_lab.cli.sentences import answer, remark, warn

        done = import_experiment(folder, experiment=experiment, note=warn)
    existing = f" {format_count(len(done.skipped), 'MLflow run')} existed already." if done.skipped else ""
    answer(f"Imported {format_count(len(done.run_ids), 'MLflow run')} into {done.experiment}.{existing}")
    remark(f"Compare: dropout-lab compare {shlex.quote(done.experiment)}")
