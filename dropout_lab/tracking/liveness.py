"""Tells runs in training from those whose process is gone, which MLflow shows as RUNNING for ever."""

import platform
import re
import time
from collections.abc import Mapping

import psutil

from dropout_lab.tracking import tags

HEARTBEAT_LOST_SECONDS = 1800.0
"""Silence after which a run on another machine counts as interrupted: longer than an epoch takes."""


def process_tags() -> dict[str, str]:
    """Return the tags that say which process trains a run: machine, process id and start time.

    The start time tells this process from a later one that was given the same id.
    """
    process = psutil.Process()
    return {
        tags.PROCESS: f"{platform.node()}:{process.pid}:{process.create_time():.2f}",
        tags.HEARTBEAT: heartbeat(),
    }


def heartbeat() -> str:
    """Return the current time, in milliseconds since 1970, as a tag's value."""
    return str(int(time.time() * 1000))


def is_gone(run_tags: Mapping[str, str]) -> bool:
    """Return whether the process that trained a run no longer exists.

    A process of another machine counts as gone when it was silent for `HEARTBEAT_LOST_SECONDS`.
    """
    parts = re.fullmatch(r"(.+):(\d+):([\d.]+)", run_tags.get(tags.PROCESS, ""))
    last = run_tags.get(tags.HEARTBEAT, "")
    if parts is None or not last.isdecimal():
        return False
    if parts[1] != platform.node():
        return time.time() - int(last) / 1000 > HEARTBEAT_LOST_SECONDS
    try:
        # Clocks that are set while the process runs shift what psutil reports as its start.
        return abs(psutil.Process(int(parts[2])).create_time() - float(parts[3])) > 2.0
    except psutil.NoSuchProcess:
        return True
