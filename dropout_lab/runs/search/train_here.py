"""Train trials in this process, and end those that are worse than others early."""

from collections.abc import Mapping
from functools import partial

from dropout_lab.data.dataset import Dataset
from dropout_lab.runs.executor import Executor
from dropout_lab.runs.jobs import work
from dropout_lab.runs.outcome import Report
from dropout_lab.runs.provenance import Provenance
from dropout_lab.runs.pruning import PruningReporter
from dropout_lab.runs.reporter import Reporter
from dropout_lab.runs.search.trial_queue import TrialQueue
from dropout_lab.runs.search.trial_training import TrialTraining
from dropout_lab.runs.stopping import StopRequest
from dropout_lab.spec import DataSpec
from dropout_lab.tracking import Tracker


class TrainHere:
    """Trains trials in this process, one run after the other; a trial that is worse than others is pruned.

    Args:
        reporter: Progress callbacks.
        stop: Ends the work, with the state saved, once it holds a signal.
        provenance: Commit and versions, logged with each run.
        datasets, tracker: Data by the settings that choose them, and tracker of the trials.
        fresh, fail_fast: As in `execute_runs`.
    """

    def __init__(
        self,
        reporter: Reporter,
        stop: StopRequest,
        provenance: Provenance,
        *,
        datasets: Mapping[DataSpec, Dataset],
        tracker: Tracker,
        fresh: bool,
        fail_fast: bool,
    ) -> None:
        self._reporter = reporter
        self._stop = stop
        self._tracker = tracker
        self._fresh = fresh
        self._fail_fast = fail_fast
        watching = PruningReporter(reporter, lambda run, progress: self._trial.prune(run, progress))
        trackers = {tracker.experiment: tracker}
        self._executor = Executor(watching, stop, provenance, datasets=datasets, trackers=trackers)
        self._trial: TrialTraining

    def __call__(self, queue: TrialQueue) -> Report:
        """Train the trials of `queue` until it has no more, or the work ends early."""
        report = Report()
        while not report.ended_early and (trial := queue.next()) is not None:
            part = self._train(trial)
            queue.end(trial, part)
            report.add(part)
        return report

    def _train(self, trial: TrialTraining) -> Report:
        """Train the runs of a trial until it is complete, pruned or failed."""
        self._trial = trial
        report = Report()
        for run in trial.runs:
            job = run.name, partial(self._executor.execute, run, fresh=self._fresh)
            report.add(work([job], self._reporter, self._stop, fail_fast=self._fail_fast))
            if report.ended_early or report.failures:
                break
            if not report.outcomes[-1].delivered:  # the store lacks the values of its epochs
                break
            trial.finish(report.outcomes[-1], self._tracker)
            if trial.pruned:
                break
        return report
