"""Log epochs while the tracking store may be unavailable."""

import time
from collections.abc import Callable, Sequence

from dropout_lab.errors import TrackingUnavailable
from dropout_lab.records import EpochMetrics
from dropout_lab.tracking.writer import Tracker

FIRST_PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 300.0


class EpochDelivery:
    """Logs epochs as they end; what the store does not accept now is logged with a later epoch.

    The caller keeps the epochs in its checkpoint, so nothing is lost with this object.

    Args:
        tracker: Tracker of the experiment.
        run_id: Run to log to.
        notify: Called with a message when the store becomes unavailable or available again.
        clock: Monotonic time in seconds.
    """

    def __init__(
        self,
        tracker: Tracker,
        run_id: str,
        notify: Callable[[str], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tracker = tracker
        self._run_id = run_id
        self._notify = notify
        self._clock = clock
        self._pause = FIRST_PAUSE_SECONDS
        self._resume_at: float | None = None

    @property
    def is_away(self) -> bool:
        """Whether the store did not answer the last call."""
        return self._resume_at is not None

    def offer(self, epochs: Sequence[EpochMetrics]) -> bool:
        """Log what is not logged yet, unless the store was unavailable a moment ago.

        Args:
            epochs: All epochs of the run so far.

        Returns:
            Whether all of them are logged.

        Raises:
            TrackingError: If the store refuses them, so that a retry would not help.
        """
        if self._resume_at is not None and self._clock() < self._resume_at:
            return False
        try:
            self._tracker.log_epochs(self._run_id, epochs)
        except TrackingUnavailable as error:
            if not self.is_away:
                self._notify(f"{error.message} Training continues; metrics are buffered and logged later.")
            self._resume_at = self._clock() + self._pause
            self._pause = min(2 * self._pause, LONGEST_PAUSE_SECONDS)
            return False
        if self.is_away:
            self._notify(f"The tracking store answers again; all {len(epochs)} epochs so far are logged.")
        self._resume_at = None
        self._pause = FIRST_PAUSE_SECONDS
        return True
