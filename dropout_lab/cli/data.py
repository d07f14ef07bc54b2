"""``dropout-lab data``: locate, verify and download Fashion-MNIST, or check the data of a spec."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dropout_lab.cli.console import TextOrJson, print_json, progress, stdout
from dropout_lab.cli.data_of_spec import print_data
from dropout_lab.cli.help import documented
from dropout_lab.cli.tables import print_table, print_text
from dropout_lab.errors import UsageError
from dropout_lab.reporting.tables import TextTable

if TYPE_CHECKING:
    from dropout_lab.data.idx_files import IdxFile


@documented(
    "Check the data of SPEC, or fetch Fashion-MNIST.",
    "With SPEC, reads its data as a run does, and prints shapes, classes, scaling and digest.",
    "Without SPEC, searches --folder, $DROPOUT_LAB_DATA, the Keras cache and "
    "/usr/share/datasets/fashion-mnist, in this order. If not found, "
    "downloads it from the Keras mirror into the Keras cache. Never overwrites files.",
    "If the download fails and --install is given, uses the Debian package dataset-fashion-mnist: as root "
    "`apt-get install` installs it, as another user it is unpacked into the Keras cache.",
    examples=[
        "dropout-lab data",
        "dropout-lab data --install",
        "dropout-lab data experiments/smoke.yaml",
        "dropout-lab data --folder ~/fashion-mnist --format json",
    ],
)
def data(
    spec: Annotated[Path | None, typer.Argument(help="Spec file (YAML).", metavar="SPEC")] = None,
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

    if spec is not None:
        if folder is not None or install:
            raise UsageError("--folder and --install do not apply with SPEC")
        print_data(spec, format_)
        return
    messages = progress()
    found = locate(folder, source="--folder")
    found = found or fetch(lambda text: print_text(messages, text), install=install)
    summary = summarise(found, read_files(found))
    if format_ is TextOrJson.JSON:
        print_json(summary)
    else:
        _print_summary(summary)


def summarise(folder: Path, files: "dict[str, IdxFile]") -> dict[str, Any]:
    """Return the summary of verified `files` that ``--format json`` prints."""
    from dropout_lab.data.fashion_mnist import is_official

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
    console = stdout()
    print_text(console, f"Fashion-MNIST in {summary['folder']}")
    rows = tuple(
        (
            Path(file["path"]).name,
            " x ".join(f"{size:,}" for size in file["shape"]),
            file["sha256"],
        )
        for file in summary["files"]
    )
    print_table(console, TextTable("", ("File", "Shape", "SHA-256 of the uncompressed bytes"), rows))
    if summary["official"]:
        print_text(console, "All four are the original files, checksums OK.")
    else:
        print_text(
            console,
            "These are not the original files. They match SHA256SUMS in their folder; runs on them have a "
            "data digest of their own.",
        )
