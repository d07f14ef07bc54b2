"""What is reported of runs while they are trained, by whichever process trains them."""

from typing import Protocol

from dropout_lab.runs.outcome import Failure, RunOutcome
from dropout_lab.runs.planning import PlannedRun
from dropout_lab.training.progress import Progress


class Reporter(Protocol):
    """Progress callbacks; the command line shows them."""

    def started(self, run: PlannedRun, run_id: str, trained_by: str, progress: Progress) -> None:
        """Training starts, or continues from `progress`.

        Args:
            run: The run.
            run_id: Its MLflow run.
            trained_by: Engine and device, such as "fast engine on AMD EPYC".
            progress: Its progress in an earlier call.
        """

    def progressed(self, run: PlannedRun, progress: Progress, num_steps: int) -> None:
        """Some of the epoch's `num_steps` steps are done, or an epoch is finished."""

    def entered(self, run: PlannedRun, phase: str) -> None:
        """A run enters a phase without steps, such as "preparing", "evaluating" or "logging results"."""

    def noted(self, message: str) -> None:
        """Something happened that the user should know."""

    def finished(self, outcome: RunOutcome) -> None:
        """A run is finished, now or before."""

    def failed(self, failure: Failure) -> None:
        """A run ended without a result."""
