"""Requests to stop: Ctrl-C, SIGTERM and a closed terminal let what runs end in order."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class StopRequest:
    """The signal that asked to stop, or 0 while none did."""

    signal_number = 0


@contextmanager
def listen_for_stop() -> Iterator[StopRequest]:
    """Note the first SIGINT, SIGTERM or SIGHUP instead of raising; a second one acts at once."""
    request = StopRequest()
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # which nohup asks for
        numbers.append(signal.SIGHUP)
    handlers = {number: signal.getsignal(number) for number in numbers}

    def note(signal_number: int, _frame: FrameType | None) -> None:
        request.signal_number = signal_number
        for number, handler in handlers.items():
            signal.signal(number, handler)

    for number in handlers:
        signal.signal(number, note)
    try:
        yield request
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
