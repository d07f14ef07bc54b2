"""Between training steps: save the state, report progress, heed a request to stop."""

import time

from dropout_lab.errors import DropoutLabError
from dropout_lab.runs.failures import interrupted
from dropout_lab.runs.planning import PlannedRun
from dropout_lab.runs.reporter import Reporter
from dropout_lab.runs.stopping import StopRequest
from dropout_lab.runs.workspace import Workspace
from dropout_lab.tracking import EpochDelivery
from dropout_lab.training.progress import Progress
from dropout_lab.training.rates import steps_per_epoch
from dropout_lab.training.trainer import Trainer

CHECKPOINT_SECONDS = 120.0
"""A checkpoint is written after each epoch, and within an epoch when the last one is this old."""


class Watch:
    """Called with the training's progress every few steps and after each epoch.

    Args:
        run: The run that is trained.
        trainer: Its network.
        workspace: Its workspace, whose lock is held.
        delivery: Logs its epochs.
        reporter: Progress callbacks.
        stop: Ends the training, with its state saved, once it holds a signal.
    """

    def __init__(
        self,
        run: PlannedRun,
        trainer: Trainer,
        workspace: Workspace,
        delivery: EpochDelivery,
        reporter: Reporter,
        stop: StopRequest,
    ) -> None:
        self._run = run
        self._trainer = trainer
        self._workspace = workspace
        self._delivery = delivery
        self._reporter = reporter
        self._stop = stop
        self._saved_at = time.monotonic()
        self._num_steps = steps_per_epoch(trainer.num_train, run.settings.training.batch_size)

    def __call__(self, progress: Progress) -> None:
        """Save, report and log what is due.

        Raises:
            Interrupted: If a stop was requested; the state is saved.
            DropoutLabError: If the state cannot be saved; the one saved before is unchanged.
            TrackingError: If the store refuses an epoch, so that asking again would not help.
            RunLockedError: If another host has taken the run over.
        """
        self._workspace.require_lock()
        signal_number = self._stop.signal_number
        epoch_is_finished = progress.step_in_epoch == 0
        if signal_number or epoch_is_finished or time.monotonic() - self._saved_at > CHECKPOINT_SECONDS:
            self._save(progress)
        if epoch_is_finished:
            self._delivery.offer(progress.epochs)
        self._reporter.progressed(self._run, progress, self._num_steps)
        if signal_number:
            where = f"epoch {len(progress.epochs) + 1}, step {progress.step_in_epoch}"
            if epoch_is_finished:
                where = f"the end of epoch {len(progress.epochs)}"
            raise interrupted(f"{self._run.name} saved at {where}.", signal_number)

    def _save(self, progress: Progress) -> None:
        try:
            self._trainer.save(self._workspace.path, progress)
        except OSError as error:
            raise DropoutLabError(
                f"The state of {self._run.name} cannot be saved: {error.strerror}.",
                hint="Free disk space or fix the permissions, then run `dropout-lab resume`.",
            ) from None
        self._saved_at = time.monotonic()
