"""Progress of training for people: bars on a terminal, otherwise lines."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from dropout_lab.records import EpochMetrics
from dropout_lab.redaction import redact
from dropout_lab.runs.outcome import Failure, RunOutcome
from dropout_lab.runs.planning import PlannedRun
from dropout_lab.training.loop import Progress as TrainingProgress
from dropout_lab.training.session import Session


class RunDisplay:
    """Progress bars with the time left on a terminal, otherwise one line per epoch.

    Args:
        num_runs: Number of runs of the call.
        console: Where progress is shown. [default: standard error]
    """

    def __init__(self, num_runs: int, console: Console | None = None) -> None:
        # In a notebook, plain lines reach the cell from every thread; rich's own display does not.
        self._console = console or Console(
            stderr=True, force_jupyter=False, markup=False, emoji=False, highlight=False
        )
        self._num_runs = num_runs
        self._number = 1
        self._task: TaskID | None = None
        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("steps, {task.fields[status]}"),
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

    def started(self, run: PlannedRun, run_id: str, session: Session, progress: TrainingProgress) -> None:
        """See `Reporter.started`."""
        epochs_done = len(progress.epochs)
        resuming = f", resuming after epoch {epochs_done}" if epochs_done else ""
        self.noted(
            f"[{self._number}/{self._num_runs}] {run.name}: run {run_id[:8]}, {session.engine_name} engine"
            f" on {session.device_name}{resuming}"
        )
        self._task = self._bars.add_task(run.name, total=None, status="starting")

    def progressed(self, run: PlannedRun, progress: TrainingProgress, num_steps: int) -> None:
        """See `Reporter.progressed`."""
        epochs = run.settings.training.epochs
        num_done = len(progress.epochs)
        last = progress.epochs[-1] if progress.epochs else None
        if self._task is not None:
            self._bars.update(
                self._task,
                description=f"{run.name} epoch {min(num_done + 1, epochs)}/{epochs}",
                total=epochs * num_steps,
                completed=num_done * num_steps + progress.step_in_epoch,
                status=f"val accuracy {last.val_accuracy:.2%}" if last else "first epoch",
            )
        if progress.step_in_epoch == 0 and last is not None:
            self.noted(_epoch_line(last, epochs))

    def noted(self, message: str) -> None:
        """See `Reporter.noted`."""
        self._console.print(redact(message), soft_wrap=True)

    def finished(self, outcome: RunOutcome) -> None:
        """See `Reporter.finished`."""
        if outcome.was_finished:
            self.noted(
                f"[{self._number}/{self._num_runs}] {outcome.run.name}:"
                f" already finished ({outcome.run_id[:8]})"
            )
        self._end_run()

    def failed(self, failure: Failure) -> None:
        """See `Reporter.failed`."""
        self._end_run()
        if self._num_runs > 1:  # else the call ends with it
            self.noted(f"{failure.name} failed: {failure.message}")

    def _end_run(self) -> None:
        self._number += 1
        if self._task is not None:
            self._bars.remove_task(self._task)
            self._task = None


def _epoch_line(epoch: EpochMetrics, num_epochs: int) -> str:
    return (
        f"  epoch {epoch.epoch}/{num_epochs}  loss {epoch.loss:.4f}  acc {epoch.accuracy:.2%}"
        f"  val_loss {epoch.val_loss:.4f}  val_acc {epoch.val_accuracy:.2%}  {epoch.epoch_seconds:.1f} s"
    )
