"""The folder format of an exported experiment.

::

    manifest.json            format, version, experiment, ids of the runs, SHA-256 of every other file
    runs/RUN/run.json        name, status, times, tags, params, metrics with all steps, datasets, models
    runs/RUN/artifacts/      files of the run
    runs/RUN/models/MODEL/   files of a logged model

Numbers that JSON lacks are the texts ``NaN``, ``Infinity`` and ``-Infinity``.
"""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from dropout_lab.errors import UsageError
from dropout_lab.files import write_atomically

FORMAT = "dropout_lab experiment"
VERSION = 1
MANIFEST = "manifest.json"
RUNS, RUN, ARTIFACTS, MODELS = "runs", "run.json", "artifacts", "models"
_CHUNK_BYTES = 2**20


@dataclass(frozen=True, kw_only=True)
class Archive:
    """An exported experiment whose files were checked.

    Attributes:
        folder: Its folder.
        name: Name of the experiment.
        tags: Tags of the experiment.
        run_ids: IDs of the runs, parents before their children.
        files: Paths in the folder that the manifest lists.
    """

    folder: Path
    name: str
    tags: Mapping[str, str] = field(default_factory=dict)
    run_ids: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    def run_folder(self, run_id: str) -> Path:
        """Return the folder of a run."""
        return self.folder / RUNS / run_id

    def listed_files(self, folder: Path) -> list[Path]:
        """Return the files below `folder`, a part of the archive, that the manifest lists."""
        inside = folder.relative_to(self.folder).as_posix()
        return [self.folder / path for path in self.files if path.startswith(f"{inside}/")]

    @property
    def unlisted_files(self) -> list[Path]:
        """Files in the folder that the manifest does not list, without hidden ones."""
        known = {self.folder / path for path in (*self.files, MANIFEST)}
        return [
            path
            for path in self.folder.rglob("*")
            if path.is_file() and path not in known and not path.name.startswith(".")
        ]

    def read_run(self, run_id: str) -> dict[str, Any]:
        """Return the content of ``run.json`` of a run."""
        return dict(json.loads((self.run_folder(run_id) / RUN).read_bytes()))

    def write_manifest(self, versions: Mapping[str, str]) -> None:
        """Write the manifest over all files in the folder.

        Args:
            versions: Versions of the packages that wrote the files.
        """
        files = sorted(path for path in self.folder.rglob("*") if path.is_file())
        content = {
            "format": FORMAT,
            "version": VERSION,
            "written_by": dict(versions),
            "experiment": {"name": self.name, "tags": dict(self.tags)},
            "runs": list(self.run_ids),
            "files": {path.relative_to(self.folder).as_posix(): sha256(path) for path in files},
        }
        write_atomically(self.folder / MANIFEST, json.dumps(content, indent=1).encode())


def read_archive(folder: Path) -> Archive:
    """Read the manifest of an exported experiment, and check every file.

    Raises:
        UsageError: If it is no such folder, of a newer format, or a file is missing or damaged.
    """
    try:
        content = json.loads((folder / MANIFEST).read_bytes())
        if content["format"] != FORMAT:
            raise KeyError("format")
        version, files = int(content["version"]), dict(content["files"])
        experiment, run_ids = content["experiment"], tuple(map(str, content["runs"]))
        name, tags = str(experiment["name"]), dict(experiment["tags"])
    except OSError:
        what = "no such folder" if not folder.is_dir() else f"no file {MANIFEST}: not an exported experiment"
        raise UsageError(
            f"{folder}: {what}", hint="`dropout-lab export EXPERIMENT --to FOLDER` makes one."
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UsageError(f"{folder / MANIFEST}: damaged, or not of an exported experiment") from None
    if version > VERSION:
        raise UsageError(
            f"{folder}: version {version} of the format (known: up to {VERSION})",
            hint="Upgrade dropout_lab.",
        )
    _check_names(folder, files, run_ids)
    for path, checksum in files.items():
        _check_file(folder / path, checksum)
    return Archive(folder=folder, name=name, tags=tags, run_ids=run_ids, files=tuple(files))


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def write_number(value: float) -> float | str:
    """Return a number as a JSON value."""
    return value if math.isfinite(value) else str(value).replace("inf", "Infinity").replace("nan", "NaN")


def read_number(value: float | str) -> float:
    """Return the number that `write_number` wrote."""
    return float(value)


def _check_names(folder: Path, files: Mapping[str, str], run_ids: tuple[str, ...]) -> None:
    """Check that no name leads out of the folder, and that each run has its file."""
    inside = all(not PurePosixPath(path).is_absolute() and ".." not in path.split("/") for path in files)
    whole = all(re.fullmatch(r"[\w-]+", run_id) and f"{RUNS}/{run_id}/{RUN}" in files for run_id in run_ids)
    if not (inside and whole):
        raise UsageError(f"{folder / MANIFEST}: damaged")


def _check_file(path: Path, checksum: str) -> None:
    try:
        found = sha256(path)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})", hint=_HINT) from None
    if found != checksum:
        raise UsageError(f"{path}: damaged (SHA-256 {found[:12]}, expected {checksum[:12]})", hint=_HINT)


_HINT = "Copy the folder again, or export it again. Nothing was imported."
