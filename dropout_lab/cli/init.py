"""``dropout-lab init``: the files of a new study."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from dropout_lab.cli.help import documented
from dropout_lab.scaffold import DataTemplate, NetworkTemplate


@documented(
    "Create the files of a new study.",
    "Writes a commented spec, a data.py and a network.py to edit, and a README. They run as they are.",
    examples=[
        "dropout-lab init my-study",
        "dropout-lab init my-study --data digits --network mlp",
    ],
)
def init(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder to write to.")] = Path(),
    data: Annotated[
        DataTemplate, typer.Option(help="A data.py to edit, or the name of a dataset.")
    ] = "function",
    network: Annotated[
        NetworkTemplate, typer.Option(help="A network.py to edit, or the name of a network.")
    ] = "function",
) -> None:
    """Write the files and say what to do next."""
    from dropout_lab.cli.sentences import answer
    from dropout_lab.scaffold import SPEC, create_study

    for path in create_study(folder, data=data, network=network):
        answer(f"Created {path}")
    where = "" if folder == Path() else f"cd {shlex.quote(str(folder))} && "
    answer(f"Next: {where}dropout-lab run {SPEC}")
