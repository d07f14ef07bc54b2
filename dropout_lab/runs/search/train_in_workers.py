"""Train trials in worker processes, several at once, and end those that are worse than others early."""

import math
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from dropout_lab.runs.executors import Workers
from dropout_lab.runs.outcome import Failure, Report, RunOutcome
from dropout_lab.runs.planning import PlannedRun
from dropout_lab.runs.provenance import Provenance
from dropout_lab.runs.pruning import PruningReporter
from dropout_lab.runs.reporter import Reporter
from dropout_lab.runs.search.session import Session
from dropout_lab.runs.search.trial_queue import TrialQueue
from dropout_lab.runs.search.trial_training import TrialTraining
from dropout_lab.runs.search.trials import search_of
from dropout_lab.runs.stopping import StopRequest
from dropout_lab.runs.workers import WorkerPool


class TrainInWorkers:
    """Trains trials in workers; when one has ended, the next one starts.

    If trials are pruned, the seeds of each are trained in turn, as in one process, and each worker has a
    trial of its own. This process decides by what the workers report, while they train on: a run ends some
    steps after the decision. Otherwise all seeds of a trial are trained at once.

    Args:
        session: What the trials have in common.
        plan: The workers.
        reporter: Progress callbacks.
        stop: Ends the work, with the states saved, once it holds a signal.
        provenance: Commit and versions, logged with each run.
    """

    def __init__(
        self,
        session: Session,
        plan: Workers,
        reporter: Reporter,
        stop: StopRequest,
        provenance: Provenance,
    ) -> None:
        search = search_of(session.spec)
        self._in_turn = search.pruner != "none"
        self._width = plan.count if self._in_turn else math.ceil(plan.count / len(search.seeds))
        if self._in_turn:
            reporter = PruningReporter(
                reporter, lambda run, progress: self._open[run.condition].prune(run, progress)
            )
        fresh, fail_fast = session.fresh, session.fail_fast
        self._pool = WorkerPool(plan, reporter, stop, provenance, fresh=fresh, fail_fast=fail_fast)
        self._tracker = session.tracker
        self._open: dict[str, TrialTraining] = {}
        self._reports: dict[str, Report] = {}
        self._ended_early = False

    def __enter__(self) -> Self:
        self._pool.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.__exit__(kind, error, trace)

    def __call__(self, queue: TrialQueue) -> Report:
        """Train the trials of `queue` until it has no more, or the work ends early."""
        self._queue = queue
        runs = [run for _ in range(self._width) for run in self._next_trial()]
        report = self._pool.execute(runs, self._follow)
        for trial in self._open.values():
            queue.end(trial, report)
        report.ended_early |= self._ended_early
        return report

    def _next_trial(self) -> Sequence[PlannedRun]:
        """Open a trial, and return its first runs; none if there are no more trials."""
        trial = None if self._ended_early else self._queue.next()
        if trial is None:
            return ()
        self._open[trial.condition] = trial
        self._reports[trial.condition] = Report()
        return trial.runs[:1] if self._in_turn else trial.runs

    def _follow(self, run: PlannedRun, end: RunOutcome | Failure) -> Sequence[PlannedRun]:
        """Return the runs that start after one has ended: the next seed, or those of the next trial."""
        trial, report = self._open[run.condition], self._reports[run.condition]
        if isinstance(end, Failure):
            report.failures.append(end)
        else:
            report.outcomes.append(end)
        num_ended = len(report.outcomes) + len(report.failures)
        if self._in_turn and isinstance(end, RunOutcome) and end.delivered:
            trial.finish(end, self._tracker)
            if not trial.pruned and num_ended < len(trial.runs):
                return [trial.runs[num_ended]]
        elif num_ended < len(trial.runs) and not self._in_turn:
            return ()
        self._queue.end(self._open.pop(run.condition), report)
        self._ended_early |= report.ended_early
        return self._next_trial()
