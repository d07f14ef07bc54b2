"""Requests to stop: Ctrl-C, SIGTERM and a closed terminal end a run with its state saved."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class StopRequest:
    """The signal that asked to stop, or 0 while none did."""

    signal_number = 0


_heeded = StopRequest()
"""The request of this process: signals are sent to a process as a whole."""


def is_stopping() -> bool:
    """Return whether this process was asked to stop, and has not done so yet."""
    return bool(_heeded.signal_number)


@contextmanager
def listen_for_stop() -> Iterator[StopRequest]:
    """Note the first SIGINT, SIGTERM or SIGHUP instead of raising; a second one acts at once.

    Only the main thread receives signals; on another one nothing is noted.
    """
    global _heeded
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    numbers = [signal.SIGINT, signal.SIGTERM]
    # nohup ignores SIGHUP; Windows does not have it.
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    handlers = {number: signal.getsignal(number) for number in numbers}

    def note(signal_number: int, _frame: FrameType | None) -> None:
        request.signal_number = signal_number
        for number, handler in handlers.items():
            signal.signal(number, handler)

    before, _heeded = _heeded, request
    for number in handlers:
        signal.signal(number, note)
    try:
        yield request
    finally:
        _heeded = before
        for number, handler in handlers.items():
            signal.signal(number, handler)
