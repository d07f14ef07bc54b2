"""Progress of training for people: bars on a terminal, otherwise lines."""

import time
from functools import partial
from textwrap import TextWrapper
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, Task, TaskID, TextColumn
from rich.text import Text

from dropout_lab.evaluation.metrics import format_duration
from dropout_lab.records import EpochMetrics
from dropout_lab.redaction import redact
from dropout_lab.runs.outcome import Failure, RunOutcome
from dropout_lab.runs.planning import PlannedRun
from dropout_lab.runs.stopping import is_stopping
from dropout_lab.training.progress import Progress as TrainingProgress

NARROW = 80
"""Terminals with fewer columns show less of each run."""

TRAINING_SHARE = 0.95
"""The part of a run in the bar of all runs that its training fills; evaluation fills the other."""

SETTLE_SECONDS = 10.0
"""Seconds of work after which the time left for all runs is estimated."""


_WRAPPER = partial(TextWrapper, break_long_words=False, break_on_hyphens=False, drop_whitespace=True)


class RunDisplay:
    """Progress bars with the time left on a terminal, otherwise one line per epoch.

    Args:
        num_runs: Number of runs of the call.
        console: Where progress is shown. [default: standard error]
        at_once: Whether several runs are trained at the same time, so that each line names its run.
    """

    def __init__(self, num_runs: int, console: Console | None = None, *, at_once: bool = False) -> None:
        # In a notebook, plain lines reach the cell from every thread; rich's own display does not.
        self._console = console or Console(
            stderr=True, force_jupyter=False, markup=False, emoji=False, highlight=False
        )
        self._num_runs = num_runs
        self._at_once = at_once
        self._numbers: dict[str, int] = {}
        self._tasks: dict[str, TaskID] = {}
        self._all: TaskID | None = None
        self._fractions: dict[str, float] = {}
        self._clocks: dict[str, _Clock] = {}
        self._num_ended = 0
        self._num_skipped = 0
        self._clock: _Clock | None = None
        self._trained_by = ""
        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            _StatusColumn("{task.fields[status]}", markup=False),
            console=self._console,
            disable=not self._console.is_terminal,
            transient=True,
            expand=True,
        )

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def started(self, run: PlannedRun, run_id: str, trained_by: str, progress: TrainingProgress) -> None:
        """See `Reporter.started`."""
        if not self._trained_by:
            self._trained_by = trained_by
            self.noted(f"Training with the {trained_by}")
        other = "" if trained_by == self._trained_by else f", {trained_by}"
        resuming = f", resuming after epoch {len(progress.epochs)}" if progress.epochs else ""
        self.noted(f"{self._number(run.name)} {run.name} ({run_id[:8]}){other}{resuming}")
        self.entered(run, "compiling")

    def progressed(self, run: PlannedRun, progress: TrainingProgress, num_steps: int) -> None:
        """See `Reporter.progressed`."""
        epochs = run.settings.training.epochs
        num_done = len(progress.epochs)
        last = progress.epochs[-1] if progress.epochs else None
        total, completed = epochs * num_steps, num_done * num_steps + progress.step_in_epoch
        if run.name in self._tasks:
            fraction = completed / total
            left = self._clocks.setdefault(run.name, _Clock(fraction)).left(fraction)
            parts = [] if self._is_narrow or last is None else [f"val accuracy {last.val_accuracy:.2%}"]
            self._bars.update(
                self._tasks[run.name],
                description=f"{run.name} epoch {min(num_done + 1, epochs)}/{epochs}",
                total=total,
                completed=completed,
                status=", ".join([*parts, *left]),
            )
            self._fractions[run.name] = TRAINING_SHARE * fraction
            self._show_whole()
        if progress.step_in_epoch == 0 and last is not None:
            self.noted(self._epoch_line(run.name, last, epochs))

    def entered(self, run: PlannedRun, phase: str) -> None:
        """See `Reporter.entered`."""
        if run.name not in self._tasks:
            self._clock = self._clock or _Clock(settle_seconds=SETTLE_SECONDS)
            self._fractions[run.name] = 0.0
            self._show_whole()
            self._tasks[run.name] = self._bars.add_task(run.name, total=None, status=phase)
        self._bars.update(self._tasks[run.name], status=phase)

    def noted(self, message: str) -> None:
        """See `Reporter.noted`."""
        lines = redact(message).split("\n")
        if self._console.is_terminal:
            # Between words: one that is too long, such as a path, goes past the margin.
            lines = [part for line in lines for part in _WRAPPER(self._console.width).wrap(line) or [""]]
        self._console.print("\n".join(lines), soft_wrap=True)

    def finished(self, outcome: RunOutcome) -> None:
        """See `Reporter.finished`."""
        name = outcome.run.name
        number = self._number(name)
        if outcome.was_finished:
            self.noted(f"{number} {name}: already finished ({outcome.run_id[:8]})")
        self._end_run(name)

    def failed(self, failure: Failure) -> None:
        """See `Reporter.failed`."""
        self._number(failure.name)
        self._end_run(failure.name)
        if self._num_runs > 1:  # else the call ends with it
            self.noted(f"{failure.name} failed: {failure.message}")

    def _number(self, name: str) -> str:
        number = self._numbers.setdefault(name, self._num_ended + len(self._numbers) + 1)
        return f"[{number}/{self._num_runs}]"

    def _end_run(self, name: str) -> None:
        if name in self._tasks:
            self._bars.remove_task(self._tasks.pop(name))
        # A run of another spec may have the same name.
        self._num_skipped += name not in self._fractions
        self._numbers.pop(name, None)
        self._fractions.pop(name, None)
        self._clocks.pop(name, None)
        self._num_ended += 1
        self._show_whole()

    def _show_whole(self) -> None:
        """Show how much of all runs is done, in a bar of its own if there are several."""
        if self._num_runs < 2:
            return
        done = self._num_ended + sum(self._fractions.values())
        if self._all is None:
            self._all = self._bars.add_task("all runs", total=self._num_runs, status="")
        # Runs that were finished before took no time, so that they say nothing of the others'.
        new = self._num_runs - self._num_skipped
        left = self._clock.left((done - self._num_skipped) / new) if new and self._clock else []
        counted = f"{self._num_ended}/{self._num_runs} {'done' if self._is_narrow else 'runs done'}"
        self._bars.update(self._all, completed=done, status=", ".join([counted, *left]))

    @property
    def _is_narrow(self) -> bool:
        return self._console.width < NARROW

    def _epoch_line(self, name: str, epoch: EpochMetrics, num_epochs: int) -> str:
        start = f"  {name}  " if self._at_once else "  "
        parts = {
            "loss": f"{epoch.loss:.4f}",
            "acc": f"{epoch.accuracy:.2%}",
            "val_loss": f"{epoch.val_loss:.4f}",
            "val_acc": f"{epoch.val_accuracy:.2%}",
        }

        def line(*shown: str) -> str:
            metrics = "  ".join(f"{one} {parts[one]}" for one in shown)
            return f"{start}epoch {epoch.epoch}/{num_epochs}  {metrics}  {epoch.epoch_seconds:.1f} s"

        whole = line(*parts)
        return whole if len(whole) <= self._console.width else line("acc", "val_acc")


class _StatusColumn(TextColumn):
    """The status of each bar, or that the state is being saved: a long step delays that."""

    def render(self, task: Task) -> Text:
        """Return the text for one bar."""
        return Text("stopping, saves its state") if is_stopping() else super().render(task)


class _Clock:
    """Estimates the time left from the time that a fraction of the work took.

    Args:
        start: Fraction that was done when the clock was started.
        settle_seconds: Seconds without an estimate: what is done once, at first, would be taken for the pace.
    """

    def __init__(self, start: float = 0.0, *, settle_seconds: float = 0.0) -> None:
        self._start = start
        self._settle_seconds = settle_seconds
        self._started_at = time.monotonic()

    def left(self, fraction: float) -> list[str]:
        """Return ``["12 min left"]``; nothing if it cannot be told."""
        if not self._start < fraction < 1.0:
            return []
        elapsed = time.monotonic() - self._started_at
        if elapsed < self._settle_seconds:
            return []
        return [f"{format_duration(elapsed * (1 - fraction) / (fraction - self._start))} left"]
