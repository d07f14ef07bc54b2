"""The table of runs that is kept up to date, on a screen that stands in for a terminal's."""

import io
import re
from dataclasses import replace

import pytest

from dropout_lab.cli import runs_watch
from dropout_lab.cli.runs import _print_runs
from dropout_lab.cli.safe_console import SafeConsole
from dropout_lab.errors import TrackingError
from dropout_lab.records import RunStatus
from dropout_lab.tracking import read_runs


@pytest.fixture
def screen(monkeypatch):
    """What is written to a terminal of 80 columns and 12 lines."""
    written = io.StringIO()
    console = SafeConsole(file=written, width=80, height=12, force_terminal=True)
    monkeypatch.setattr(runs_watch, "stdout", lambda: console)
    return written


def pages(screen) -> list[str]:
    """The pages that were shown, as text."""
    return [re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", page) for page in screen.getvalue().split("\x1b[H")[2:]]


def watch(monkeypatch, found, answers):
    """Watch `found`; each read gives the next of `answers`, then Ctrl-C is pressed."""
    answers = iter(answers)

    def read():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    left = [None] * (len(found) and 3)

    def sleep(seconds):
        if not left:
            raise KeyboardInterrupt
        left.pop()

    monkeypatch.setattr(runs_watch.time, "sleep", sleep)
    return runs_watch.watch_runs(found, read, _print_runs)


def test_states_are_kept_up_to_date_until_ctrl_c(logged_runs, monkeypatch, screen):
    monkeypatch.chdir(logged_runs[0])
    finished = read_runs("study")
    running = [replace(finished[0], status=RunStatus.RUNNING, end_time=None), *finished[1:]]
    away = TrackingError("The server does not answer.")
    assert watch(monkeypatch, running, [running, away, finished]) == finished
    first, _, third, last, *_ = pages(screen)
    assert "2 finished" in first and "1 running" in first
    assert "(Ctrl-C ends)" in first
    assert "The server does not answer." in third
    assert "3 finished" in last and "running" not in last


def test_the_newest_runs_are_shown_if_not_all_fit(logged_runs, monkeypatch, screen):
    monkeypatch.chdir(logged_runs[0])
    one = read_runs("study")[0]
    many = [
        replace(one, run_name=f"seed{seed}", start_time=one.start_time.replace(microsecond=seed))
        for seed in range(30)
    ]
    assert watch(monkeypatch, many, [many] * 3) == many
    page = pages(screen)[0]
    assert "seed29" in page and "seed0 " not in page
    assert page.rstrip().endswith("...")
    assert len(page.splitlines()) <= 12
