"""``dropout-lab runs --watch``: the table of runs, kept up to date until Ctrl-C."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich.control import Control
from rich.text import Text

from dropout_lab.cli.console import stdout
from dropout_lab.errors import TrackingError

if TYPE_CHECKING:
    from dropout_lab.cli.safe_console import SafeConsole
    from dropout_lab.records import RunRecord

SECONDS = 2.0

Read = Callable[[], "list[RunRecord]"]
Print = Callable[["SafeConsole", "Sequence[RunRecord]"], None]


def watch_runs(found: "list[RunRecord]", read: Read, print_runs: Print) -> "list[RunRecord]":
    """Show runs on a screen of their own until Ctrl-C, and return them as they were read last.

    Args:
        found: Runs as they are now.
        read: Reads them again; a store that does not answer is asked again.
        print_runs: Prints them.
    """
    console = stdout()
    problem = ""
    try:
        with console.screen() as screen:
            while True:
                lines = _lines(console, found, print_runs)
                if len(lines) > console.height - 2:  # the newest ones fit
                    newest = sorted(found, key=lambda run: run.start_time, reverse=True)
                    lines = [*_lines(console, newest, print_runs)[: console.height - 3], "..."]
                shown = "\n".join([console.clean(problem) or _head(found), "", *lines])
                console.control(Control.home())
                screen.update(Text.from_ansi(shown, no_wrap=True))
                time.sleep(SECONDS)
                try:
                    found, problem = read(), ""
                except TrackingError as error:
                    problem = error.message
    except KeyboardInterrupt:
        return found


def _lines(console: "SafeConsole", found: "Sequence[RunRecord]", print_runs: Print) -> list[str]:
    with console.capture() as printed:
        print_runs(console, found)
    return printed.get().splitlines()


def _head(found: "Sequence[RunRecord]") -> str:
    counts = Counter(run.status.value.lower() for run in found)
    states = ", ".join(f"{count} {state}" for state, count in counts.items())
    return f"{datetime.now():%H:%M:%S}  {states or 'no runs'}  (Ctrl-C ends)"
