"""What calls that train share: one at a time, progress, and a Ctrl-C that comes once the state is saved."""

import io
import signal
import sys
import threading
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, NoReturn

from dropout_lab.errors import Interrupted
from dropout_lab.native_log import without_native_log

if TYPE_CHECKING:
    from dropout_lab.api.notebook import NotebookDisplay
    from dropout_lab.runs.display import RunDisplay

ONE_CALL_AT_A_TIME = threading.RLock()
"""Keras has one set of settings per process, so a second call waits for the first."""


def show_progress(num_runs: int, progress: bool, *, at_once: bool = False) -> "RunDisplay | NotebookDisplay":
    """Return progress callbacks for a terminal or a notebook.

    Args:
        num_runs: Number of runs of the call.
        progress: Whether progress is shown.
        at_once: Whether several runs are trained at the same time.
    """
    from rich.console import Console

    from dropout_lab.runs.display import RunDisplay

    if not progress:
        return RunDisplay(num_runs, Console(file=io.StringIO(), quiet=True))
    if Console().is_jupyter:
        from dropout_lab.api.notebook import NotebookDisplay

        return NotebookDisplay(num_runs)
    return RunDisplay(num_runs, at_once=at_once)


def starting(library: str) -> AbstractContextManager[None]:
    """Return what is entered while a library starts: it hides what native code logs."""
    hides = library == "TensorFlow" and "tensorflow" not in sys.modules
    return without_native_log() if hides else nullcontext()


def pass_on(interrupted: Interrupted, *, fresh: bool = False) -> NoReturn:
    """Raise what the signal would have raised, now that the state is saved, or let it do its work.

    Args:
        interrupted: The request to stop.
        fresh: Whether the call retrained finished runs, so that repeating it as it was starts over.
    """
    signal_number = interrupted.exit_code - 128
    if signal_number == signal.SIGINT:
        repeat = "repeat the call without `fresh`" if fresh else "repeat the call"
        raise KeyboardInterrupt(f"{interrupted.message} To continue, {repeat}.") from None
    signal.raise_signal(signal_number)
    raise interrupted
