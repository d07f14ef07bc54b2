"""The failures that a person reads, each with the exit code that it ends the program with."""

import difflib
from collections.abc import Iterable


class DropoutLabError(Exception):
    """Base of all errors that the command line prints as a message instead of a traceback.

    Args:
        message: What was expected, what was received and where.
        hint: What to do next; printed on a line of its own.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message}\n{self.hint}"


class UsageError(DropoutLabError):
    """What the user gave (a spec, an option, a file) cannot be used: nothing was started."""

    exit_code = 2


class SpecError(UsageError):
    """A spec is malformed.

    Args:
        problems: One line a problem, each ``file:line: [location] expected ..., received ...``.
    """

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class DataError(UsageError):
    """The dataset is missing, damaged or not what it should be."""


class DeviceError(UsageError):
    """The hardware device that was asked for is not there."""


class TrackingError(DropoutLabError):
    """The tracking store cannot be reached, read or written."""


class TrackingAddressError(TrackingError, UsageError):
    """The address of the tracking store is not one."""

    exit_code = 2


class TrackingUnavailable(TrackingError):  # noqa: N818 - a state that passes
    """The tracking store does not answer now; the same call may be made again later."""


class TrainingError(DropoutLabError):
    """Training ended without a result, for example by a loss that is not finite."""


class OutOfMemoryError(DropoutLabError):
    """The device has less memory than was asked of it; what was done before is kept."""


class Interrupted(DropoutLabError):  # noqa: N818 - not a fault, a request to stop
    """The user or the machine asked the run to stop; its state was saved.

    Args:
        signal_number: The signal received; the exit code is 128 plus it, as shells report it.
    """

    def __init__(self, message: str, *, signal_number: int, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.exit_code = 128 + signal_number


def did_you_mean(name: str, valid_names: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the valid name nearest to `name`, or an empty string."""
    nearest = difflib.get_close_matches(name, list(valid_names), n=1)
    return f"; did you mean {nearest[0]!r}?" if nearest else ""
