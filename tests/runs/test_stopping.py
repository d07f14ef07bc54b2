"""Signals are noted instead of raised, once; and every stop at whatever moment is survived."""

import os
import signal

import pytest

from dropout_lab.runs.stopping import listen_for_stop


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_is_noted_and_the_second_acts(number: signal.Signals) -> None:
    acted = []
    before = signal.signal(number, lambda *_: acted.append(True))
    try:
        with listen_for_stop() as request:
            os.kill(os.getpid(), number)
            assert request.signal_number == number
            assert not acted
            os.kill(os.getpid(), number)
            assert acted
    finally:
        signal.signal(number, before)


def test_what_nohup_started_goes_on_when_the_terminal_is_closed() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with listen_for_stop() as request:
            os.kill(os.getpid(), signal.SIGHUP)
            assert request.signal_number == 0
    finally:
        signal.signal(signal.SIGHUP, before)
