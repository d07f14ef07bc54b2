"""Words for what ended a run without a result."""

import errno
import os

from dropout_lab.errors import (
    DropoutLabError,
    Interrupted,
    OutOfMemoryError,
    TrackingUnavailable,
    TrainingError,
)
from dropout_lab.runs.outcome import Failure

TO_CONTINUE = "To continue, run `dropout-lab resume` or repeat the command."
TO_RESUME = "Run `dropout-lab resume` to continue from the saved state."
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def interrupted(message: str, signal_number: int) -> Interrupted:
    """Return a request to stop, with how to continue."""
    return Interrupted(message, signal_number=signal_number, hint=TO_CONTINUE)


def worded(name: str, error: Exception) -> Failure:
    """Return a failure that keeps the words of an error, and not the memory that its traceback holds.

    Args:
        name: Name of the run.
        error: What ended it.

    Raises:
        Exception: `error` itself, if it is a bug and DROPOUT_LAB_TRACEBACK is set.
    """
    if isinstance(error, DropoutLabError):
        return Failure(
            name,
            error.message,
            error.hint or "",
            error.exit_code,
            stops_others=isinstance(error, TrackingUnavailable),
            by_training=isinstance(error, TrainingError | OutOfMemoryError),
        )
    if os.environ.get("DROPOUT_LAB_TRACEBACK"):
        raise error
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        room = "Free disk space, then run" if error.errno in _NO_ROOM else "Run"
        return Failure(
            name,
            f"{where}{error.strerror or error}",
            f"{room} `dropout-lab resume` to continue from the saved state.",
        )
    if isinstance(error, MemoryError):
        return Failure(
            name,
            "out of memory",
            "Free memory and run `dropout-lab resume`, or use a smaller training.batch_size"
            " (starts a new run).",
            by_training=True,
        )
    return Failure(
        name,
        f"unexpected {type(error).__name__}: {error}",
        "This is a bug in dropout_lab. Please report it; DROPOUT_LAB_TRACEBACK=1 shows the traceback.",
    )
