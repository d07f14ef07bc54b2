"""Train runs in several workers at once; a worker that dies takes only its own run with it.

A worker process trains one run after the other, since starting one takes longer than a short run: 5 to
10 s for TensorFlow and MLflow. When it dies, another one takes its place.
"""

import queue
import signal
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Self

from dropout_lab.runs.executors import Worker, Workers
from dropout_lab.runs.failures import TO_RESUME, interrupted
from dropout_lab.runs.messages import Message, Receiver
from dropout_lab.runs.outcome import Failure, Report, RunOutcome
from dropout_lab.runs.planning import PlannedRun
from dropout_lab.runs.preparing import prepare_runs
from dropout_lab.runs.provenance import Provenance
from dropout_lab.runs.pruning import RunPruned
from dropout_lab.runs.reporter import Reporter
from dropout_lab.runs.sequential import execute_sequentially
from dropout_lab.runs.stopping import StopRequest
from dropout_lab.runs.tasks import Task, training_tasks
from dropout_lab.tracking import Tracker, read_runs

POLL_SECONDS = 0.2

Follow = Callable[[PlannedRun, RunOutcome | Failure], Sequence[PlannedRun]]
"""Called with a run and how it ended; returns runs to train besides."""


def execute_design_in_workers(
    runs: Sequence[PlannedRun],
    reporter: Reporter,
    stop: StopRequest,
    plan: Workers,
    *,
    fresh: bool = False,
    fail_fast: bool = False,
    trackers: Mapping[str, Tracker],
) -> Report:
    """Train the runs of one spec in workers; see `execute_design`.

    Args:
        runs: All planned runs of the spec.
        reporter: Progress callbacks; called in this thread.
        stop: Ends all runs, with their states saved, once it holds a signal.
        plan: How many workers there are, and what each may use.
        fresh: Retrain runs even if they are finished or interrupted.
        fail_fast: Whether the first failure ends all other runs, with their states saved.
        trackers: Trackers by experiment; they have created the store, which workers must not do at once.
    """
    provenance = prepare_runs(runs, trackers.values(), reporter)
    reporter.noted(f"Training with {plan}.")
    with WorkerPool(plan, reporter, stop, provenance, fresh=fresh, fail_fast=fail_fast) as pool:
        return execute_sequentially(
            runs, pool.execute, lambda: read_runs(runs[0].origin.experiment), reporter.noted
        )


@dataclass
class _Slot:
    """A place for one worker: the worker, if it is started, and its run, if it has one."""

    index: int
    worker: Worker | None = None
    receiver: Receiver | None = None


class WorkerPool:
    """Workers, each with one run at a time. It ends them when it is left.

    Args:
        plan, reporter, stop, fresh, fail_fast: As in `execute_design_in_workers`.
        provenance: Commit and versions, logged with each run.
    """

    def __init__(
        self,
        plan: Workers,
        reporter: Reporter,
        stop: StopRequest,
        provenance: Provenance,
        *,
        fresh: bool = False,
        fail_fast: bool = False,
    ) -> None:
        self._plan = plan
        self._reporter = reporter
        self._stop = stop
        self._provenance = provenance
        self._fresh = fresh
        self._fail_fast = fail_fast
        self._slots = [_Slot(index) for index in range(plan.count)]
        self._messages: queue.SimpleQueue[tuple[Worker, Message | None]] = queue.SimpleQueue()
        self._leaving: list[Worker] = []
        self._saved: list[str] = []
        self._has_asked_to_stop = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for _, worker, _ in self._running():
            worker.kill()
        idle = [slot.worker for slot in self._slots if slot.worker and not slot.receiver]
        for worker in idle:
            worker.dismiss()
        for worker in [*idle, *self._leaving]:
            worker.end()

    def execute(self, runs: Sequence[PlannedRun], follow: Follow | None = None) -> Report:
        """Train `runs`, skipping those that are finished and continuing those that were interrupted.

        Args:
            runs: Planned runs.
            follow: What to train besides when a run has ended, unless all work ends early.
        """
        return self.work(training_tasks(runs, fresh=self._fresh), follow)

    def work(self, tasks: Sequence[Task], follow: Follow | None = None) -> Report:
        """Do `tasks`, and those that `follow`."""
        report = Report()
        given, waiting = list(tasks), deque(tasks)
        try:
            while self._running() or (waiting and not report.ended_early):
                if self._stop.signal_number:
                    self._ask_to_stop(report, self._stop.signal_number)
                if waiting and not report.ended_early:
                    wanted = waiting[0].threads or self._plan.threads
                    if slot := self._free_slot(wanted):
                        self._start(slot, waiting.popleft(), wanted)
                        continue
                with suppress(queue.Empty):
                    ended = self._handle(report, *self._messages.get(timeout=POLL_SECONDS))
                    if ended and follow is not None and not report.ended_early:
                        new = training_tasks(follow(*ended), fresh=self._fresh)
                        given += new
                        waiting += new
        except KeyboardInterrupt:  # a second Ctrl-C
            self._stop.signal_number = self._stop.signal_number or signal.SIGINT
            names = ", ".join(one.run.name for _, _, one in self._running())
            self._saved += [f"{names} stopped."] if names else []
        order = {_place(task.run): number for number, task in enumerate(given)}
        report.outcomes.sort(key=lambda outcome: order[_place(outcome.run)])
        report.not_started += [task.run.name for task in waiting]
        if self._stop.signal_number:  # even if all runs ended: the caller may have a look or a trial to come
            report.ended_early = True
            ahead = f"before {report.not_started[0]}" if report.not_started else "after the runs in progress"
            message = "\n".join(self._saved) or f"stopped {ahead}."
            report.interrupted = interrupted(message, self._stop.signal_number)
        return report

    def _running(self) -> list[tuple[_Slot, Worker, Receiver]]:
        slots = [(slot, slot.worker, slot.receiver) for slot in self._slots]
        return [(slot, worker, receiver) for slot, worker, receiver in slots if worker and receiver]

    def _free_slot(self, threads: int) -> _Slot | None:
        """Return a slot without a run, if possible one whose worker computes with `threads` threads."""
        free = [slot for slot in self._slots if slot.receiver is None]
        return min(free, key=lambda slot: _misfit(slot, threads), default=None)

    def _start(self, slot: _Slot, task: Task, threads: int) -> None:
        if slot.worker is not None and slot.worker.threads != threads:
            slot.worker.end()
            slot.worker = None
        if slot.worker is None:
            slot.worker = self._plan.start(
                slot.index, threads, lambda *received: self._messages.put(received)
            )
        slot.receiver = Receiver(task.run, self._reporter)
        slot.worker.tell({"task": task.to_json(), "provenance": asdict(self._provenance)})

    def _handle(
        self, report: Report, sender: Worker, message: Message | None
    ) -> tuple[PlannedRun, RunOutcome | Failure] | None:
        """Take a message, and return the run that it ends and how, if it ends one."""
        slot = next((one for one in self._slots if one.worker is sender), None)
        if slot is None:
            return None  # a worker that was ended
        receiver = slot.receiver
        end: RunOutcome | Failure | None = None
        if message is None:
            slot.worker = None
            end = sender.failure(receiver.run.name) if receiver else None
        elif message["event"] == "ready":
            sender.is_ready = True
        elif receiver is not None and message["event"] == "interrupted":
            slot.worker = slot.receiver = None
            self._leaving.append(sender)
            end = self._interrupted(report, receiver.run.name, message["message"])
        elif receiver is not None:
            try:
                receiver.report(message)
            except RunPruned:
                sender.tell({"prune": receiver.run.name})
            end = receiver.end(message)
        if end is None or receiver is None:
            return None
        slot.receiver = None
        self._end(report, end)
        return receiver.run, end

    def _interrupted(self, report: Report, name: str, message: str) -> Failure | None:
        """Note why a run was interrupted; it failed if neither the user nor another run's failure did it."""
        if self._stop.signal_number:
            self._saved.append(message)
        elif self._has_asked_to_stop:
            report.stopped.append(name)
        else:
            return Failure(name, f"its worker was asked to stop: {message}", TO_RESUME)
        return None

    def _end(self, report: Report, end: RunOutcome | Failure) -> None:
        if isinstance(end, RunOutcome):
            report.outcomes.append(end)
            self._reporter.finished(end)
            return
        report.failures.append(end)
        self._reporter.failed(end)
        report.ended_early |= end.stops_others
        if self._fail_fast:
            self._ask_to_stop(report, signal.SIGTERM)

    def _ask_to_stop(self, report: Report, signal_number: int) -> None:
        """Let all runs end, with their states saved; asking again changes nothing."""
        report.ended_early = True
        if self._has_asked_to_stop:
            return
        self._has_asked_to_stop = True
        for slot, worker, receiver in self._running():
            if worker.is_ready:
                worker.tell({"stop": signal_number})
            else:  # it has nothing to save
                worker.kill()
                slot.worker = slot.receiver = None
                report.not_started.append(receiver.run.name)


def _place(run: PlannedRun) -> tuple[str, str]:
    return run.origin.experiment, run.name


def _misfit(slot: _Slot, threads: int) -> int:
    """Return how much work it is to let the worker of a slot compute with `threads` threads."""
    if slot.worker is None:
        return 1
    return 0 if slot.worker.threads == threads else 2
