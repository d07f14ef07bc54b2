"""``dropout-lab data``: locate, verify and download the dataset."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dropout_lab.cli.console import TextOrJson, print_json, stderr, stdout
from dropout_lab.cli.help import documented

if TYPE_CHECKING:
    from dropout_lab.data.idx_files import IdxFile


@documented(
    "Locate and verify Fashion-MNIST; download it if missing.",
    "Searches --folder, $DROPOUT_LAB_DATA, the Keras cache and /usr/share/datasets/fashion-mnist, in this "
    "order. If not found, downloads it from the Keras mirror into the Keras cache. Never overwrites files.",
    "If the download fails and --install is given, uses the Debian package dataset-fashion-mnist: as root "
    "`apt-get install` installs it, as another user it is unpacked into the Keras cache.",
    examples=[
        "dropout-lab data",
        "dropout-lab data --install",
        "dropout-lab data --folder ~/fashion-mnist --format json",
    ],
)
def data(
    folder: Annotated[
        str | None,
        typer.Option(
            help="Folder of the four files. [default: $DROPOUT_LAB_DATA, or the folders above]",
            metavar="FOLDER",
        ),
    ] = None,
    install: Annotated[
        bool, typer.Option("--install", help="Use the Debian package if the download fails.")
    ] = False,
    format_: Annotated[TextOrJson, typer.Option("--format", help="Output format.")] = TextOrJson.TEXT,
) -> None:
    """Locate, verify and if necessary fetch the dataset, then print what was found."""
    from dropout_lab.data.fetching import fetch
    from dropout_lab.data.idx_files import locate, read_files

    messages = stderr()
    found = locate(folder) or fetch(lambda text: messages.print(text, soft_wrap=True), install=install)
    summary = summarise(found, read_files(found))
    if format_ is TextOrJson.JSON:
        print_json(summary)
    else:
        _print_summary(summary)


def summarise(folder: Path, files: "dict[str, IdxFile]") -> dict[str, Any]:
    """Return the summary of verified `files` that ``--format json`` prints."""
    from dropout_lab.data.selection import is_official

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
    lines = [f"Fashion-MNIST in {summary['folder']}, SHA-256 of the uncompressed bytes:"]
    for file in summary["files"]:
        shape = " x ".join(f"{size:,}" for size in file["shape"])
        lines.append(f"  {Path(file['path']).name:<26}  {shape:>16}  {file['sha256']}")
    if summary["official"]:
        lines.append("All four are the original files, checksums OK.")
    else:
        lines.append(
            "These are not the original files. They match SHA256SUMS in their folder; runs on them have a "
            "data digest of their own."
        )
    stdout().print("\n".join(lines), soft_wrap=True)
