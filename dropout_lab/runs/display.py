"""Progress of training for people: bars on a terminal, otherwise lines."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from dropout_lab.records import EpochMetrics
from dropout_lab.redaction import redact
from dropout_lab.runs.outcome import Failure, RunOutcome
from dropout_lab.runs.planning import PlannedRun
from dropout_lab.training.progress import Progress as TrainingProgress


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
        self._num_ended = 0
        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[status]}"),
            TimeRemainingColumn(compact=True, elapsed_when_finished=True),
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
        epochs_done = len(progress.epochs)
        resuming = f", resuming after epoch {epochs_done}" if epochs_done else ""
        self.noted(f"{self._number(run.name)} {run.name}: run {run_id[:8]}, {trained_by}{resuming}")
        self._tasks[run.name] = self._bars.add_task(run.name, total=None, status="starting")

    def progressed(self, run: PlannedRun, progress: TrainingProgress, num_steps: int) -> None:
        """See `Reporter.progressed`."""
        epochs = run.settings.training.epochs
        num_done = len(progress.epochs)
        last = progress.epochs[-1] if progress.epochs else None
        total, completed = epochs * num_steps, num_done * num_steps + progress.step_in_epoch
        if run.name in self._tasks:
            status = f"val accuracy {last.val_accuracy:.2%}" if last else "first epoch"
            self._bars.update(
                self._tasks[run.name],
                description=f"{run.name} epoch {min(num_done + 1, epochs)}/{epochs}",
                total=total,
                completed=completed,
                status=f"{completed}/{total} steps, {status}",
            )
            self._show_whole(run.name, completed / total)
        if progress.step_in_epoch == 0 and last is not None:
            name = f"{run.name} " if self._at_once else ""
            self.noted(f"  {name}{_epoch_line(last, epochs)}")

    def noted(self, message: str) -> None:
        """See `Reporter.noted`."""
        self._console.print(redact(message), soft_wrap=True)

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
        number = self._numbers.setdefault(name, len(self._numbers) + 1)
        return f"[{number}/{self._num_runs}]"

    def _end_run(self, name: str) -> None:
        if name in self._tasks:
            self._bars.remove_task(self._tasks.pop(name))
        self._num_ended += 1
        self._show_whole(name, 1.0)

    def _show_whole(self, name: str, fraction: float) -> None:
        """Show how much of all runs is done, in a bar of its own if there are several."""
        self._fractions[name] = fraction
        if self._num_runs < 2:
            return
        if self._all is None:
            self._all = self._bars.add_task("all runs", total=self._num_runs, status="")
        self._bars.update(
            self._all,
            completed=sum(self._fractions.values()),
            status=f"{self._num_ended}/{self._num_runs} runs done",
        )


def _epoch_line(epoch: EpochMetrics, num_epochs: int) -> str:
    return (
        f"epoch {epoch.epoch}/{num_epochs}  loss {epoch.loss:.4f}  acc {epoch.accuracy:.2%}"
        f"  val_loss {epoch.val_loss:.4f}  val_acc {epoch.val_accuracy:.2%}  {epoch.epoch_seconds:.1f} s"
    )
