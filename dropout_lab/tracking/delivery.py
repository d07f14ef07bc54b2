"""Keeps training going while the tracking store is away."""

import time
from collections.abc import Callable, Sequence

from dropout_lab.errors import TrackingUnavailable
from dropout_lab.records import EpochMetrics
from dropout_lab.tracking.writer import Tracker

FIRST_PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 300.0


class EpochDelivery:
    """Logs epochs as they end; what the store does not take now is logged with a later epoch.

    The epochs themselves are kept by the caller, in its checkpoint, so that nothing depends on this
    object living on.

    Args:
        tell: Is given one line when the store goes away, and one when it is back.
        clock: Monotonic time in seconds; a test passes its own.
    """

    def __init__(
        self,
        tracker: Tracker,
        run_id: str,
        tell: Callable[[str], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tracker = tracker
        self._run_id = run_id
        self._tell = tell
        self._clock = clock
        self._pause = FIRST_PAUSE_SECONDS
        self._resume_at: float | None = None

    @property
    def is_away(self) -> bool:
        """Whether the store did not answer when it was last asked."""
        return self._resume_at is not None

    def offer(self, epochs: Sequence[EpochMetrics]) -> bool:
        """Log what is not logged yet, unless the store was away a moment ago.

        Args:
            epochs: All epochs of the run so far.

        Returns:
            Whether all of them are logged.

        Raises:
            TrackingError: The store refuses them, so that asking again would not help.
        """
        if self._resume_at is not None and self._clock() < self._resume_at:
            return False
        try:
            self._tracker.log_epochs(self._run_id, epochs)
        except TrackingUnavailable as error:
            if not self.is_away:
                self._tell(f"{error.message} Training goes on; what it logs is kept and sent later.")
            self._resume_at = self._clock() + self._pause
            self._pause = min(2 * self._pause, LONGEST_PAUSE_SECONDS)
            return False
        if self.is_away:
            self._tell(f"The tracking store is back; all {len(epochs)} epochs so far are logged.")
        self._resume_at = None
        self._pause = FIRST_PAUSE_SECONDS
        return True
