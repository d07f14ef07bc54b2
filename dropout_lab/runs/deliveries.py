"""Upload finished results in another process, while this one trains the next run.

The results lie in their workspaces until they are uploaded, so that nothing is lost with either process. A
run is evaluated before that, in this process: evaluation keeps all processors busy, so that beside the next
training it would end no sooner (benchmarks/overlap.py).
"""

import os
import queue
import signal
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Self

from dropout_lab.errors import DropoutLabError, TrackingError
from dropout_lab.runs.continuing import WorkspaceGoneError
from dropout_lab.runs.failures import interrupted
from dropout_lab.runs.messages import Message, Receiver
from dropout_lab.runs.outcome import Failure, Report, RunOutcome
from dropout_lab.runs.reporter import Reporter
from dropout_lab.runs.worker_process import WorkerProcess
from dropout_lab.runs.workspace import Workspace
from dropout_lab.tracking import is_finished
from dropout_lab.training.cpus import available_cpus

FEWEST_RUNS = 30
"""Number of runs from which this saves time: 0.2 to 0.3 s per run, against 5 s for the start of the process,
on two CPUs (benchmarks/between_runs.py)."""


def pays(num_runs: int) -> bool:
    """Return whether so many runs in a row end earlier if another process uploads their results."""
    return num_runs >= FEWEST_RUNS and available_cpus() > 1


class Deliveries:
    """Results on their way to the tracking store. Their process starts with the first, and ends with this.

    Args:
        reporter: Progress callbacks.
    """

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._process: WorkerProcess | None = None
        self._messages: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._pending: list[tuple[Workspace, RunOutcome]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is None:
            return
        if self._pending:
            self._process.kill()
        else:
            self._process.end()

    def take(self, workspace: Workspace, outcome: RunOutcome) -> None:
        """Upload the result of a workspace.

        Args:
            workspace: The workspace, whose lock is free.
            outcome: The outcome of its run, not delivered yet.
        """
        if self._process is None:
            self._process = WorkerProcess(
                "dropout_lab.runs.delivery_worker",
                os.environ,
                1,
                lambda _, message: self._messages.put(message),
            )
        self._pending.append((workspace, outcome))
        self._process.tell({"folder": str(workspace.path)})

    def settle(self, report: Report, deliver_here: Callable[[Workspace], RunOutcome]) -> None:
        """Wait until all results are uploaded, and put the outcomes of their runs in a report.

        Args:
            report: The report, with the outcomes that `take` was given.
            deliver_here: Uploads the result of a workspace in this process, if the other one did not.
        """
        try:
            while self._pending:
                workspace, outcome = self._pending[0]
                end = self._wait(outcome)
                if not isinstance(end, RunOutcome):
                    try:
                        end = deliver_here(workspace)
                    except DropoutLabError as error:
                        end = replace(outcome, delivered=_is_delivered_by_another(outcome, error))
                        if not end.delivered:
                            self._reporter.noted(f"{outcome.run.name} is not logged: {error.message}")
                report.outcomes[report.outcomes.index(outcome)] = end
                del self._pending[0]
        except KeyboardInterrupt:
            names = ", ".join(outcome.run.name for _, outcome in self._pending)
            report.interrupted = interrupted(f"{names} trained, but not logged.", signal.SIGINT)
            report.ended_early = True

    def _wait(self, outcome: RunOutcome) -> RunOutcome | Failure | None:
        """Return how the next upload ended; None if its process is gone."""
        receiver = Receiver(outcome.run, self._reporter)
        while self._process is not None:
            message = self._messages.get()
            if message is None:
                self._process = None
            elif message["event"] == "noted":
                receiver.report(message)
            elif end := receiver.end(message):
                return end
        return None


def _is_delivered_by_another(outcome: RunOutcome, error: DropoutLabError) -> bool:
    """Return whether `error` says that a result is gone, and the store has it."""
    try:
        return isinstance(error, WorkspaceGoneError) and is_finished(outcome.run_id)
    except TrackingError:
        return False
