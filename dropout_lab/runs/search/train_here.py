"""Train trials in this process, and end those that are worse than others early."""

from collections.abc import Mapping, Sequence
from functools import partial

from dropout_lab.data.dataset import Dataset
from dropout_lab.runs.executor import Executor, work
from dropout_lab.runs.outcome import Report, RunOutcome
from dropout_lab.runs.planning import PlannedRun
from dropout_lab.runs.provenance import Provenance
from dropout_lab.runs.pruning import PruningReporter, RunPruned
from dropout_lab.runs.reporter import Reporter
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

    width = 1

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
        watching = PruningReporter(reporter, lambda run, epochs: self._trial.prune(run, epochs))
        trackers = {tracker.experiment: tracker}
        self._executor = Executor(watching, stop, provenance, datasets=datasets, trackers=trackers)
        self._trial: TrialTraining

    def __call__(self, trials: Sequence[TrialTraining]) -> Report:
        """Train the runs of `trials` until each is complete, pruned or failed."""
        report = Report()
        for self._trial in trials:
            for run in self._trial.runs:
                job = run.name, partial(self._execute, run)
                report.add(work([job], self._reporter, self._stop, fail_fast=self._fail_fast))
                if report.ended_early or report.failures or self._trial.pruned:
                    break
                if not report.outcomes[-1].delivered:  # the store lacks the values of its epochs
                    break
                self._trial.finish(report.outcomes[-1], self._tracker)
        return report

    def _execute(self, run: PlannedRun) -> RunOutcome:
        try:
            return self._executor.execute(run, fresh=self._fresh)
        except RunPruned as pruned:
            seed = f" of seed {run.seed}" if len(self._trial.runs) > 1 else ""
            self._trial.pruned = f"{pruned.message}{seed}"
            return RunOutcome(run, pruned.run_id, {}, was_pruned=True)
