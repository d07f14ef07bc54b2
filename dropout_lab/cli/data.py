"""``dropout-lab data``: where the dataset is, and whether it is whole."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dropout_lab.cli.console import TextOrJson, print_json, stderr, stdout
from dropout_lab.cli.help import documented

if TYPE_CHECKING:
    from dropout_lab.learning.data_files import IdxFile


@documented(
    "Locate and verify Fashion-MNIST; download it if missing.",
    "Searches --folder, $DROPOUT_LAB_DATA, the Keras cache and /usr/share/datasets/fashion-mnist, in this "
    "order. If not found, downloads it from the Keras mirror or installs the Debian package. Never "
    "overwrites files.",
    examples=[
        "dropout-lab data",
        "dropout-lab data --folder ~/fashion-mnist --format json",
    ],
)
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
    """Locate, verify and if necessary fetch the dataset, then print what was found."""
    from dropout_lab.learning.data_files import locate, read_files
    from dropout_lab.learning.fetching import fetch

    messages = stderr()
    found = locate(folder) or fetch(lambda text: messages.print(text, soft_wrap=True))
    summary = summarise(found, read_files(found))
    if format_ is TextOrJson.JSON:
        print_json(summary)
    else:
        _print_summary(summary)


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
