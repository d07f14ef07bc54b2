"""Progress of runs in a notebook: one bar for all, and the runs that are trained now."""

import html
import time
from importlib import import_module
from types import TracebackType
from typing import Any, Self

from dropout_lab.redaction import redact
from dropout_lab.runs.outcome import Failure, RunOutcome
from dropout_lab.runs.planning import PlannedRun
from dropout_lab.training.progress import Progress

SECONDS_BETWEEN_UPDATES = 0.25


class NotebookDisplay:
    """A reporter that shows progress below the cell; unlike rich's bars, it needs no ipywidgets.

    Args:
        num_runs: Number of runs of the call.
    """

    def __init__(self, num_runs: int) -> None:
        self._num_runs = num_runs
        self._num_finished = 0
        self._num_failed = 0
        self._active: dict[str, tuple[float, str]] = {}
        self._notes: list[str] = []
        self._shown_at = 0.0
        self._ipython = import_module("IPython.display")
        self._handle: Any = None

    def __enter__(self) -> Self:
        self._handle = self._ipython.display(self._content(), display_id=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._active.clear()
        self._show()

    def started(self, run: PlannedRun, run_id: str, trained_by: str, progress: Progress) -> None:
        """See `Reporter.started`."""
        resuming = f", resuming after epoch {len(progress.epochs)}" if progress.epochs else ""
        self._active[run.name] = (0.0, f"run {run_id[:8]}, {trained_by}{resuming}")
        self._show()

    def progressed(self, run: PlannedRun, progress: Progress, num_steps: int) -> None:
        """See `Reporter.progressed`."""
        epochs = run.settings.training.epochs
        num_done = len(progress.epochs)
        text = f"epoch {min(num_done + 1, epochs)}/{epochs}"
        if progress.epochs:
            text += f", val accuracy {progress.epochs[-1].val_accuracy:.2%}"
        fraction = (num_done * num_steps + progress.step_in_epoch) / (epochs * num_steps)
        self._active[run.name] = (fraction, text)
        if time.monotonic() - self._shown_at > SECONDS_BETWEEN_UPDATES:
            self._show()

    def entered(self, run: PlannedRun, phase: str) -> None:
        """See `Reporter.entered`."""
        fraction, _ = self._active.get(run.name, (0.0, ""))
        self._active[run.name] = (fraction, phase)
        self._show()

    def noted(self, message: str) -> None:
        """See `Reporter.noted`."""
        self._notes.append(redact(message))
        self._show()

    def finished(self, outcome: RunOutcome) -> None:
        """See `Reporter.finished`."""
        self._num_finished += 1
        self._active.pop(outcome.run.name, None)
        self._show()

    def failed(self, failure: Failure) -> None:
        """See `Reporter.failed`."""
        self._num_failed += 1
        self._active.pop(failure.name, None)
        self.noted(f"{failure.name} failed: {failure.message}")

    def _show(self) -> None:
        self._shown_at = time.monotonic()
        if self._handle is not None:
            self._handle.update(self._content())

    def _content(self) -> Any:
        done = self._num_finished + self._num_failed
        fraction = (done + sum(part for part, _ in self._active.values())) / max(1, self._num_runs)
        failed = f", {self._num_failed} failed" if self._num_failed else ""
        lines = [
            f'<progress value="{fraction:.4f}" max="1" style="width: 20em"></progress>'
            f" {self._num_finished} of {self._num_runs} runs finished{failed}",
            *(html.escape(f"{name}: {text}") for name, (_, text) in self._active.items()),
            *map(html.escape, self._notes),
        ]
        return self._ipython.HTML("<br>".join(lines))
