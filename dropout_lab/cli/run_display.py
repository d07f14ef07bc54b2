"""Output of `dropout-lab run`: progress on stderr during training, results on stdout afterwards."""

import shlex
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from dropout_lab.cli.console import print_json, stderr, stdout
from dropout_lab.cli.tables import print_table
from dropout_lab.execution.outcome import Failure, RunOutcome
from dropout_lab.execution.planning import PlannedRun
from dropout_lab.learning.session import Session
from dropout_lab.learning.training import Progress as TrainingProgress
from dropout_lab.records import EpochMetrics
from dropout_lab.reporting.tables import TextTable

SHOWN_METRICS = {
    "test_accuracy": "test accuracy",
    "test_loss": "test loss",
    "generalization_gap": "generalization gap",
    "test_brier": "test Brier score",
    "test_ece": "test calibration error (15 equal bins)",
    "train_accuracy": "training accuracy, dropout off",
    "train_seconds": "training time",
}


class RunDisplay:
    """Progress bars with the time left on a terminal, otherwise one line per epoch.

    Args:
        num_runs: Number of runs of the command.
    """

    def __init__(self, num_runs: int) -> None:
        self._console = stderr()
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
        self._console.print(message, soft_wrap=True)

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
        if self._num_runs > 1:  # else the command ends with it
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


def print_outcomes(outcomes: Sequence[RunOutcome], *, as_json: bool) -> None:
    """Print the results on stdout, and how to look at them.

    Args:
        outcomes: Finished runs.
        as_json: For scripts, instead of panels.
    """
    if as_json:
        print_json([_as_json(outcome) for outcome in outcomes])
        return
    if not outcomes:
        return
    console = stdout()
    for outcome in outcomes:
        lines = {label: _shown(name, outcome.metrics.get(name)) for name, label in SHOWN_METRICS.items()}
        lines["run id"] = outcome.run_id
        if not console.is_terminal:
            print(f"{outcome.run.name}: {', '.join(f'{label} {value}' for label, value in lines.items())}")
        elif len(outcomes) == 1:
            console.print(_panel(outcome.run.name, lines))
    if console.is_terminal and len(outcomes) > 1:
        print_table(console, _table(outcomes))
    print("View: dropout-lab ui")
    conditions: dict[str, set[str]] = {}
    for outcome in outcomes:
        conditions.setdefault(outcome.run.origin.experiment, set()).add(outcome.run.condition)
    for experiment, names in conditions.items():
        if len(names) > 1:
            print(f"Compare: dropout-lab compare {shlex.quote(experiment)}")


def _as_json(outcome: RunOutcome) -> dict[str, object]:
    return {
        "run_id": outcome.run_id,
        "run_name": outcome.run.name,
        "condition": outcome.run.condition,
        "seed": outcome.run.seed,
        "experiment": outcome.run.origin.experiment,
        "was_finished": outcome.was_finished,
        "delivered": outcome.delivered,
        "metrics": outcome.metrics,
        "address": outcome.address,
    }


def _panel(name: str, lines: Mapping[str, str]) -> Panel:
    grid = Table.grid(padding=(0, 2))
    for label, value in lines.items():
        grid.add_row(label, value)
    return Panel(grid, title=Text(name), title_align="left", expand=False)


def _table(outcomes: Sequence[RunOutcome]) -> TextTable:
    shown = ("test_accuracy", "test_loss", "generalization_gap", "train_seconds")
    labels = [SHOWN_METRICS[name] for name in shown]
    rows = (
        (outcome.run.name, *(_shown(name, outcome.metrics.get(name)) for name in shown), outcome.run_id)
        for outcome in outcomes
    )
    return TextTable("", ("run", *labels, "run id"), tuple(rows), details=("run id",))


def _shown(name: str, value: float | None) -> str:
    if value is None:
        return "-"
    if name.endswith("accuracy"):
        return f"{value:.2%}"
    if name == "generalization_gap":
        return f"{100 * value:.2f} points"
    return f"{value:.1f} s" if name.endswith("_seconds") else f"{value:.4f}"
