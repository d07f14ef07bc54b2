"""The files below a folder that are the user's: none of hidden folders, nor of tracking stores."""

import os
from collections.abc import Iterator
from pathlib import Path

STORES = ("mlruns", "mlartifacts")
"""Folders in which MLflow keeps plots and models, by default."""


def is_passed_over(name: str) -> bool:
    """Return whether nothing of a folder with this name is meant: it is hidden, or a tracking store."""
    return name.startswith(".") or name in STORES


def visible_files(folder: Path) -> Iterator[Path]:
    """Yield the files below `folder` in order of path, without hidden ones; `folder` may be hidden itself."""
    found = []
    for root, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not is_passed_over(name)]
        found += [Path(root, name) for name in files if not name.startswith(".")]
    yield from sorted(found)
