"""Where runs are trained: in this process, in worker processes, or on a Ray cluster."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Literal, Protocol, get_args

from dropout_lab.errors import UsageError, did_you_mean
from dropout_lab.runs.messages import Message
from dropout_lab.runs.outcome import Failure
from dropout_lab.runs.planning import PlannedRun
from dropout_lab.runs.worker_plan import plan_workers

ExecutorName = Literal["local", "ray"]

Starting = Callable[[Literal["TensorFlow", "MLflow", "Ray"]], AbstractContextManager[None]]
"""Entered while a library starts: to show it, and to hide what it logs."""


class Worker(Protocol):
    """Trains one run at a time somewhere else, with a fixed number of threads.

    Attributes:
        threads: Number of threads that it computes with.
        is_ready: Whether it has started TensorFlow, so that it can save a run.
    """

    threads: int
    is_ready: bool

    def tell(self, message: Message) -> None:
        """Send a job or an order; `runs.messages` has both."""

    def dismiss(self) -> None:
        """Let it end by itself: there are no more runs for it."""

    def end(self) -> None:
        """End it, which has no run, and wait until it has ended."""

    def kill(self) -> None:
        """End it at once."""

    def failure(self, name: str) -> Failure:
        """Return the failure of the run `name`, during which it ended by itself."""


class Workers(Protocol):
    """Workers of a call; as text, they say how many there are and what each may use.

    Attributes:
        count: How many there are.
        threads: Threads of each.
    """

    @property
    def count(self) -> int: ...  # noqa: D102
    @property
    def threads(self) -> int: ...  # noqa: D102

    def start(self, index: int, threads: int, receive: Callable[[Any, Message | None], None]) -> Worker:
        """Start the worker at `index`.

        Args:
            index: Its number, from 0 to `count` - 1.
            threads: Number of threads that it computes with.
            receive: Called in another thread with the worker and each of its messages, and with None when it
                has ended by itself.
        """


@contextmanager
def chosen_workers(
    executor: str, workers: str | None, address: str | None, runs: Sequence[PlannedRun], starting: Starting
) -> Iterator[Workers | None]:
    """Start what trains runs inside this context, and yield it; None for this process alone.

    Args:
        executor: ``local`` or ``ray``.
        workers: Number of runs at once, or ``auto``. [default: this process alone, or all that a cluster has
            room for]
        address: Address of the cluster; see `runs.ray_cluster`.
        runs: All runs of the call.
        starting: Entered while a library starts.

    Raises:
        UsageError: If an argument is invalid. Nothing was started, as for the next two.
        ClusterError: If the cluster cannot be used.
        TrackingError: If the tracking store has no valid address.
    """
    names = get_args(ExecutorName)
    if executor not in names:
        allowed = ", ".join(names)
        raise UsageError(
            f"executor: unknown value {executor!r}{did_you_mean(executor, names)} (allowed: {allowed})"
        )
    if executor == "ray":
        from dropout_lab.runs.ray_plan import planned_on_cluster

        with planned_on_cluster(address, workers, runs, starting) as plan:
            yield plan
        return
    if address is not None:
        raise UsageError("address: only allowed with the executor ray")
    yield plan_workers(workers, runs) if workers else None
