"""Messages between a command and its worker processes: one JSON object per line.

A worker receives a task, ``{"stop": signal}`` or ``{"prune": NAME}``, and sends ``{"event": NAME, ...}``.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from dropout_lab.records import EpochMetrics
from dropout_lab.runs.outcome import Failure, RunOutcome
from dropout_lab.runs.planning import PlannedRun
from dropout_lab.runs.reporter import Reporter
from dropout_lab.training.progress import Progress

Message = Mapping[str, Any]


class SendingReporter:
    """The reporter of a worker: sends what happens as messages.

    Args:
        send: Sends one message.
    """

    def __init__(self, send: Callable[[Message], None]) -> None:
        self._send = send
        self._num_epochs_sent = 0

    def started(self, run: PlannedRun, run_id: str, trained_by: str, progress: Progress) -> None:
        """See `Reporter.started`."""
        del run  # the command knows which run it told this process
        self._num_epochs_sent = 0
        self._send({"event": "started", "run_id": run_id, "trained_by": trained_by, **self._news(progress)})

    def progressed(self, run: PlannedRun, progress: Progress, num_steps: int) -> None:
        """See `Reporter.progressed`."""
        del run
        self._send({"event": "progressed", "num_steps": num_steps, **self._news(progress)})

    def entered(self, run: PlannedRun, phase: str) -> None:
        """See `Reporter.entered`."""
        del run
        self._send({"event": "entered", "phase": phase})

    def noted(self, message: str) -> None:
        """See `Reporter.noted`."""
        self._send({"event": "noted", "message": message})

    def finished(self, outcome: RunOutcome) -> None:
        """See `Reporter.finished`."""
        content = {
            "run_id": outcome.run_id,
            "metrics": outcome.metrics,
            "address": outcome.address,
            "was_finished": outcome.was_finished,
            "delivered": outcome.delivered,
            "pruned": outcome.pruned,
        }
        self._send({"event": "finished", "outcome": content})

    def failed(self, failure: Failure) -> None:
        """See `Reporter.failed`."""
        self._send({"event": "failed", "failure": asdict(failure)})

    def _news(self, progress: Progress) -> dict[str, Any]:
        """Return the progress without the epochs that were sent before."""
        new = progress.epochs[self._num_epochs_sent :]
        self._num_epochs_sent = len(progress.epochs)
        return {"step_in_epoch": progress.step_in_epoch, "epochs": [asdict(epoch) for epoch in new]}


@dataclass
class Receiver:
    """Reads a worker's messages about one run.

    Attributes:
        run: The run.
        reporter: Where progress is reported.
        progress: Progress of the run as far as it was received.
    """

    run: PlannedRun
    reporter: Reporter
    progress: Progress = field(default_factory=Progress)

    def report(self, message: Message) -> None:
        """Report what a message says of the run's progress; other messages are ignored."""
        match message:
            case {"event": "started", "run_id": run_id, "trained_by": trained_by}:
                self.progress = Progress()  # of an attempt that died
                self._update(message)
                self.reporter.started(self.run, run_id, trained_by, self.progress)
            case {"event": "progressed", "num_steps": num_steps}:
                self._update(message)
                self.reporter.progressed(self.run, self.progress, num_steps)
            case {"event": "entered", "phase": phase}:
                self.reporter.entered(self.run, phase)
            case {"event": "noted", "message": text}:
                self.reporter.noted(text)

    def end(self, message: Message) -> RunOutcome | Failure | None:
        """Return how the run ended, if the message says so."""
        match message:
            case {"event": "finished", "outcome": outcome}:
                return RunOutcome(self.run, **outcome)
            case {"event": "failed", "failure": failure}:
                return Failure(**failure)
        return None

    def _update(self, message: Message) -> None:
        new = tuple(EpochMetrics(**epoch) for epoch in message["epochs"])
        epochs = (*self.progress.epochs, *new)
        self.progress = replace(self.progress, epochs=epochs, step_in_epoch=message["step_in_epoch"])
