"""Detect runs whose process has died, which MLflow shows as RUNNING."""

import atexit
import getpass
import os
import platform
import re
import time
import uuid
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import psutil

from dropout_lab.errors import DropoutLabError
from dropout_lab.files import hold_lock, is_locked
from dropout_lab.tracking import schema

HEARTBEAT_LOST_SECONDS = 1800.0
"""Silence after which a run on another machine counts as interrupted: longer than an epoch takes."""

LOCK_FOLDER = Path("mlruns/.dropout_lab/processes")
_locks: dict[int, Path | None] = {}
"""Lock file of each process; None where it cannot have one. A forked process needs its own."""


def process_tags() -> dict[str, str]:
    """Return the tags that say which process trains a run: machine, process id, start time and lock file.

    The process holds the lock from the first call on. It ends with the process, however that ends, and
    depends on no clock; the start time serves where the file system has no locks.
    """
    process = psutil.Process()
    lock = _own_lock(process.pid)
    return {
        schema.PROCESS: f"{platform.node()}:{process.pid}:{process.create_time():.2f}",
        schema.LOCK: "" if lock is None else str(lock),
        schema.HEARTBEAT: heartbeat(),
    }


def heartbeat() -> str:
    """Return the current time, in milliseconds since 1970, as a tag's value."""
    return str(int(time.time() * 1000))


def user() -> str:
    """Return the name of the user that runs this process."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user of a container without a name
        return "unknown"


def is_gone(run_tags: Mapping[str, str]) -> bool:
    """Return whether the process that trained a run no longer exists.

    Its lock decides. Without one, a process on this machine is looked for by its id and start time, and one
    on another machine counts as gone when it was silent for `HEARTBEAT_LOST_SECONDS`.
    """
    parts = re.fullmatch(r"(.+):(\d+):([\d.]+)", run_tags.get(schema.PROCESS, ""))
    last = run_tags.get(schema.HEARTBEAT, "")
    if parts is None or not last.isdecimal():
        return False
    is_here = parts[1] == platform.node()
    held = _is_held(run_tags.get(schema.LOCK, ""), parts[2])
    if held or (held is False and is_here):
        return not held
    if not is_here:
        return time.time() - int(last) / 1000 > HEARTBEAT_LOST_SECONDS
    try:
        return abs(psutil.Process(int(parts[2])).create_time() - float(parts[3])) > 2.0
    except psutil.NoSuchProcess:
        return True


def _own_lock(pid: int) -> Path | None:
    if pid not in _locks:
        path = LOCK_FOLDER.absolute() / f"{pid}-{uuid.uuid4().hex}.lock"
        holding = ExitStack()
        try:
            holding.enter_context(hold_lock(path, timeout_seconds=0))
        except (OSError, DropoutLabError):
            _locks[pid] = None
        else:
            _locks[pid] = path
            atexit.register(_release, holding, path, pid)
    return _locks[pid]


def _release(holding: ExitStack, path: Path, pid: int) -> None:
    if os.getpid() == pid:
        path.unlink(missing_ok=True)
        holding.close()


def _is_held(lock: str, pid: str) -> bool | None:
    """Return whether a process holds the lock; None if it is not the lock of process `pid`, or not found."""
    path = Path(lock)
    if not path.name.startswith(f"{pid}-"):
        return None
    for candidate in (path, LOCK_FOLDER / path.name):  # the folder may have been moved
        held = is_locked(candidate)
        if held is not None:
            return held
    return None
