"""What happens every few training steps: state is saved, progress is told, a request to stop is heeded."""

import time
from typing import Protocol

from dropout_lab.errors import DropoutLabError, Interrupted
from dropout_lab.execution.planning import PlannedRun
from dropout_lab.execution.run_folder import RunFolder
from dropout_lab.execution.stopping import StopRequest
from dropout_lab.learning.session import Session
from dropout_lab.learning.training import Progress, steps_per_epoch
from dropout_lab.tracking import EpochDelivery

CHECKPOINT_SECONDS = 120.0
"""A checkpoint is written after each epoch, and within an epoch when the last one is this old."""


class Reporter(Protocol):
    """Is told how a run goes; the command line shows it."""

    def started(self, run: PlannedRun, run_id: str, session: Session, progress: Progress) -> None:
        """Training starts, or goes on from `progress`."""

    def progressed(self, run: PlannedRun, progress: Progress, num_steps: int) -> None:
        """Some of the epoch's `num_steps` steps were done, or an epoch was finished."""

    def noted(self, message: str) -> None:
        """Something happened that the user should know, and the run goes on."""


class Watch:
    """Called with the training's progress every few steps and after each epoch.

    Args:
        run: The run that is trained.
        session: Its network.
        folder: Where its checkpoints are kept.
        delivery: Takes its epochs to the tracking store.
        reporter: Is told of the progress.
        stop: Ends the training, with its state saved, once it holds a signal.
    """

    def __init__(
        self,
        run: PlannedRun,
        session: Session,
        folder: RunFolder,
        delivery: EpochDelivery,
        reporter: Reporter,
        stop: StopRequest,
    ) -> None:
        self._run = run
        self._session = session
        self._folder = folder
        self._delivery = delivery
        self._reporter = reporter
        self._stop = stop
        self._saved_at = time.monotonic()
        self._num_steps = steps_per_epoch(session.num_train, run.settings.training.batch_size)

    def __call__(self, progress: Progress) -> None:
        """Save, tell and deliver what is due.

        Raises:
            Interrupted: If a stop was requested; the state is saved.
            DropoutLabError: If the state cannot be saved; the one saved before is as it was.
        """
        signal_number = self._stop.signal_number
        epoch_is_finished = progress.step_in_epoch == 0
        if signal_number or epoch_is_finished or time.monotonic() - self._saved_at > CHECKPOINT_SECONDS:
            self._save(progress)
        self._reporter.progressed(self._run, progress, self._num_steps)
        if epoch_is_finished:
            self._delivery.offer(progress.epochs)
        if signal_number:
            raise Interrupted(
                f"{self._run.name} was stopped; its state is saved.",
                signal_number=signal_number,
                hint="To go on from there: dropout-lab resume, or the same command again.",
            )

    def _save(self, progress: Progress) -> None:
        try:
            self._session.save(self._folder.path, progress)
        except OSError as error:
            raise DropoutLabError(
                f"The state of {self._run.name} cannot be saved: {error.strerror}.",
                hint="Make room, or give permission; `dropout-lab resume` goes on from the state saved last.",
            ) from None
        self._saved_at = time.monotonic()
