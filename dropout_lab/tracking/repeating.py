"""Repeat calls of a tracker that the store did not answer."""

import itertools
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from dropout_lab.errors import TrackingUnavailable
from dropout_lab.tracking.failures import TrackingConflict, failures_told
from dropout_lab.tracking.location import Location

_ATTEMPTS, _ATTEMPTS_IN_CONFLICT = 2, 10


class _Located(Protocol):
    location: Location


S = TypeVar("S", bound=_Located)
P = ParamSpec("P")
T = TypeVar("T")


def repeatable(method: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], T]:
    """Translate exceptions of a method, and retry if the store did not respond or another process was faster.

    The retries of MLflow are off: if only the answer to a call was lost, they would repeat it and create a
    second run. These methods look first at what exists.
    """

    @wraps(method)
    def call(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        for attempt in itertools.count(1):
            try:
                with failures_told(self.location):
                    return method(self, *args, **kwargs)
            except TrackingUnavailable as error:
                if attempt >= (_ATTEMPTS_IN_CONFLICT if isinstance(error, TrackingConflict) else _ATTEMPTS):
                    raise
        raise AssertionError("unreachable")

    return call
