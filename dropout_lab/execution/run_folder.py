"""The folder that keeps an unfinished run: its lock, its checkpoints, and its result until that is delivered.

It lives under ``mlruns/.dropout_lab/`` and is removed once the tracking store has everything.
"""

import fcntl
import json
import os
import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dropout_lab.errors import DropoutLabError
from dropout_lab.files import write_atomically

STATE_ROOT = Path("mlruns/.dropout_lab")


class RunLockedError(DropoutLabError):
    """Another process trains the run at this moment."""


@dataclass(frozen=True)
class RunFolder:
    """One unfinished run's folder, held under its lock."""

    path: Path

    @property
    def result(self) -> Path:
        """The folder of the finished training's figures, artifacts and model; whole if it exists."""
        return self.path / "result"

    def read(self) -> dict[str, Any]:
        """Return what `write` kept, or nothing where the folder is new or the file is damaged."""
        try:
            state = json.loads((self.path / "run.json").read_text())
        except (OSError, ValueError):
            return {}
        return state if isinstance(state, dict) else {}

    def write(self, state: Mapping[str, Any]) -> None:
        """Keep `state`, such as the id of the run in MLflow, and that it is this process that works on it."""
        content = {**state, "pid": os.getpid(), "host": socket.gethostname()}
        write_atomically(self.path / "run.json", json.dumps(content, indent=1).encode())

    def clear(self) -> None:
        """Delete what earlier calls kept, but not the folder."""
        self.remove()
        self.path.mkdir(parents=True)

    def remove(self) -> None:
        """Delete the folder: all that it kept is elsewhere now, or not wanted."""
        shutil.rmtree(self.path, ignore_errors=True)


@contextmanager
def open_run_folder(key: str) -> Iterator[RunFolder]:
    """Create or reopen the folder of the run of `key`, and hold its lock.

    The lock is the system's, so it ends with the process, however that ends.

    Raises:
        RunLockedError: If another process holds it.
    """
    folder = RunFolder(STATE_ROOT / key)
    folder.path.mkdir(parents=True, exist_ok=True)
    with _lock(folder) as lock_path:
        folder.path.mkdir(exist_ok=True)
        yield folder
        if not folder.path.exists():
            lock_path.unlink(missing_ok=True)


@contextmanager
def _lock(folder: RunFolder) -> Iterator[Path]:
    path = folder.path.with_suffix(".lock")
    while True:
        with path.open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                owner = folder.read()
                raise RunLockedError(
                    f"This run is being trained by another process"
                    f" (process {owner.get('pid', 'unknown')} on {owner.get('host', 'this host')}).",
                    hint="Wait for it, or stop it; then run the same command again.",
                ) from None
            # The last holder may have removed the file between our opening and our locking it.
            if path.exists() and path.stat().st_ino == os.fstat(file.fileno()).st_ino:
                yield path
                return
