"""Errors that are printed as messages, each with the exit code that it ends the program with."""

import difflib
from collections.abc import Iterable


class DropoutLabError(Exception):
    """Base of all errors that the command line prints as a message instead of a traceback.

    Args:
        message: Place, problem, value and allowed values.
        hint: Next step; printed on a line of its own.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message}\n{self.hint}"


class UsageError(DropoutLabError):
    """A spec, an option or a file of the user's is invalid; nothing was started."""

    exit_code = 2


class SpecError(UsageError):
    """A spec is malformed.

    Args:
        problems: One line per problem, each ``file:line: [location] problem: value (allowed: ...)``.
    """

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class DataError(UsageError):
    """The dataset is missing, damaged or has an unexpected shape."""


class FunctionError(UsageError):
    """A function of the user's cannot be imported, raises, or does not take its arguments."""


class DeviceError(UsageError):
    """The requested device is not available."""


class TrackingError(DropoutLabError):
    """The tracking store cannot be reached, read or written."""


class TrackingAddressError(TrackingError, UsageError):
    """The address of the tracking store is not one."""

    exit_code = 2


class NoStoreError(TrackingError):
    """The tracking store does not exist yet."""


class TrackingUnavailable(TrackingError):  # noqa: N818 - a state that passes
    """The tracking store does not respond; the same call may succeed later."""


class TrainingError(DropoutLabError):
    """Training ended without a result, for example because the loss is not finite."""


class OutOfMemoryError(DropoutLabError):
    """The device is out of memory; earlier progress is saved."""


class Interrupted(DropoutLabError):  # noqa: N818 - no error, a request to stop
    """A signal stopped the run; its state is saved.

    Args:
        signal_number: The signal received; the exit code is 128 plus it, as shells report it.
    """

    def __init__(self, message: str, *, signal_number: int, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.exit_code = 128 + signal_number


def did_you_mean(name: str, valid_names: Iterable[str]) -> str:
    """Return ``" (did you mean 'x'?)"`` for the valid name nearest to `name`, or an empty string."""
    nearest = difflib.get_close_matches(name, list(valid_names), n=1)
    return f" (did you mean {nearest[0]!r}?)" if nearest else ""
