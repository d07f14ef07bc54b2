"""Runs that are ended early because their trial of a search is worse than others."""

from collections.abc import Callable

from dropout_lab.errors import TrainingError
from dropout_lab.records import RunFacts, RunStatus
from dropout_lab.runs.outcome import Failure, RunOutcome
from dropout_lab.runs.planning import PlannedRun
from dropout_lab.runs.reporter import Reporter
from dropout_lab.tracking import schema
from dropout_lab.training.progress import Progress

Prune = Callable[[PlannedRun, Progress], bool]
"""Returns whether a run is to be ended with its progress so far."""


class RunPruned(TrainingError):  # noqa: N818 - no error, a decision of the search
    """The search ended the run early.

    Args:
        run_id: Its MLflow run.
        num_epochs: Number of its finished epochs.
    """

    def __init__(self, run_id: str, num_epochs: int) -> None:
        super().__init__(f"pruned after epoch {num_epochs}")
        self.run_id = run_id


def status_after(error: BaseException) -> tuple[RunStatus, dict[str, str]]:
    """Return status and tags of a run that `error` ended.

    MLflow has no status for a pruned run. It is KILLED, so that nothing takes it for a result.
    """
    if isinstance(error, RunPruned):
        return RunStatus.KILLED, schema.fact_tags(RunFacts(pruned=error.message))
    if isinstance(error, TrainingError):
        return RunStatus.FAILED, {schema.FAILURE: error.message}
    return RunStatus.KILLED, {}


class PruningReporter:
    """Passes progress on to a reporter, and ends a run by RunPruned when `prune` says so.

    Args:
        reporter: Progress callbacks.
        prune: Called when a run starts or continues, and at each progress.
    """

    def __init__(self, reporter: Reporter, prune: Prune) -> None:
        self._reporter = reporter
        self._prune = prune
        self._run_ids: dict[str, str] = {}
        self.noted = reporter.noted
        self.entered = reporter.entered

    def started(self, run: PlannedRun, run_id: str, trained_by: str, progress: Progress) -> None:
        """See `Reporter.started`."""
        self._run_ids[run.name] = run_id
        self._reporter.started(run, run_id, trained_by, progress)
        self._end_if_pruned(run, progress)

    def progressed(self, run: PlannedRun, progress: Progress, num_steps: int) -> None:
        """See `Reporter.progressed`."""
        self._reporter.progressed(run, progress, num_steps)
        self._end_if_pruned(run, progress)

    def finished(self, outcome: RunOutcome) -> None:
        """See `Reporter.finished`."""
        self._reporter.finished(outcome)

    def failed(self, failure: Failure) -> None:
        """See `Reporter.failed`."""
        self._reporter.failed(failure)

    def _end_if_pruned(self, run: PlannedRun, progress: Progress) -> None:
        if self._prune(run, progress):
            raise RunPruned(self._run_ids[run.name], len(progress.epochs))
