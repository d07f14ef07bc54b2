"""The part of a worker that is the same wherever it runs: trains the runs that a command names."""

import time
from collections.abc import Callable, Collection
from functools import partial

from dropout_lab.libraries import set_variables, without_keras_settings
from dropout_lab.runs.jobs import work
from dropout_lab.runs.messages import Message, SendingReporter
from dropout_lab.runs.outcome import RunOutcome
from dropout_lab.runs.planning import PlannedRun
from dropout_lab.runs.provenance import Provenance
from dropout_lab.runs.pruning import PruningReporter
from dropout_lab.runs.stopping import StopRequest
from dropout_lab.runs.tasks import Task
from dropout_lab.runs.workspace import RunLockedError

LOCK_POLL_SECONDS = 2.0


class JobTrainer:
    """Trains one run after the other in this process; TensorFlow starts when this is made.

    Args:
        send: Sends one message.
        stop: Ends a run, with its state saved, once it holds a signal.
        pruned: Names of runs that the command wants to be ended as pruned.
    """

    def __init__(
        self, send: Callable[[Message], None], stop: StopRequest, pruned: Collection[str] = ()
    ) -> None:
        set_variables()
        with without_keras_settings():
            from dropout_lab.runs import executor
        self._library = executor
        self._executor: executor.Executor | None = None
        self._send = send
        self._stop = stop
        self._reporter = PruningReporter(SendingReporter(send), lambda run, _: run.name in pruned)
        send({"event": "ready"})

    def train(self, job: Message, *, lock_seconds: float = 0.0) -> None:
        """Do the task of a message ``{"task": ..., "provenance": ...}``, and send how its run ends.

        Args:
            job: The message.
            lock_seconds: Time to wait for another process that still has the run.
        """
        task = Task.from_json(job["task"])
        if self._executor is None:
            provenance = Provenance(**job["provenance"])
            self._executor = self._library.Executor(self._reporter, self._stop, provenance)
        if task.workspace is None:
            execute = partial(self._executor.execute, task.run, fresh=task.fresh)
        else:
            execute = partial(self._executor.resume, task.workspace)
        jobs = [(task.run.name, partial(_once_unlocked, execute, lock_seconds))]
        report = work(jobs, self._reporter, self._stop)
        if report.interrupted is not None:
            self._send({"event": "interrupted", "message": report.interrupted.message})


def run_of(job: Message) -> PlannedRun:
    """Return the run of a job."""
    return Task.from_json(job["task"]).run


def _once_unlocked(execute: Callable[[], RunOutcome], lock_seconds: float) -> RunOutcome:
    until = time.monotonic() + lock_seconds
    while True:
        try:
            return execute()
        except RunLockedError:
            if time.monotonic() >= until:
                raise
        time.sleep(LOCK_POLL_SECONDS)
