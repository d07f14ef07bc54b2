"""``dropout-lab data``: where the dataset is, and whether it is whole."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dropout_lab.cli.console import TextOrJson, print_json, stderr, stdout

if TYPE_CHECKING:
    from dropout_lab.learning.data_files import IdxFile

EXAMPLES = """Examples:

  dropout-lab data

  dropout-lab data --folder ~/fashion-mnist --format json
"""


def data(
    folder: Annotated[
        str | None,
        typer.Option(
            help="Folder of the four files; by default DROPOUT_LAB_DATA, else the usual places.",
            metavar="FOLDER",
        ),
    ] = None,
    format_: Annotated[
        TextOrJson, typer.Option("--format", help="How to print the result.")
    ] = TextOrJson.TEXT,
) -> None:
    """Show where Fashion-MNIST is, check every byte of it, and fetch it where it is missing.

    Looked for in the folder that --folder, else DROPOUT_LAB_DATA names; else in Keras' cache, then in
    /usr/share/datasets/fashion-mnist. Where it is missing it is downloaded as Keras does it, else taken
    from the Debian package dataset-fashion-mnist. Nothing is overwritten.
    """
    from dropout_lab.learning.data_files import locate, read_files
    from dropout_lab.learning.fetching import fetch

    messages = stderr()
    found = locate(folder) or fetch(lambda text: messages.print(text, soft_wrap=True))
    summary = summarise(found, read_files(found))
    if format_ is TextOrJson.JSON:
        print_json(summary)
    else:
        _print_summary(summary)


data.__doc__ = f"{data.__doc__}\n\n{EXAMPLES}"


def summarise(folder: Path, files: "dict[str, IdxFile]") -> dict[str, Any]:
    """Return what is shown of verified `files`: plain data, as ``--format json`` prints it."""
    from dropout_lab.learning.data import is_official

    return {
        "folder": str(folder),
        "official": is_official({name: file.checksum for name, file in files.items()}),
        "files": [
            {
                "name": name,
                "path": str(file.path),
                "shape": list(file.values.shape),
                "sha256": file.checksum,
            }
            for name, file in files.items()
        ],
    }


def _print_summary(summary: dict[str, Any]) -> None:
    lines = [f"Fashion-MNIST in {summary['folder']}, with the SHA-256 of the uncompressed bytes:"]
    for file in summary["files"]:
        shape = " x ".join(f"{size:,}" for size in file["shape"])
        lines.append(f"  {Path(file['path']).name:<26}  {shape:>16}  {file['sha256']}")
    if summary["official"]:
        lines.append("All four are the files of the dataset's authors.")
    else:
        lines.append(
            "These are other images than the authors': they pass the SHA256SUMS beside them, "
            "and runs on them have a data digest of their own."
        )
    stdout().print("\n".join(lines), soft_wrap=True)
