"""A task of a Ray cluster: trains one run in a process of its own, and yields what happens as messages."""

import os
import platform
import queue
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dropout_lab.errors import DropoutLabError
from dropout_lab.leases import LOST_SECONDS, host_id
from dropout_lab.runs.failures import worded
from dropout_lab.runs.messages import Message, SendingReporter
from dropout_lab.runs.ray_orders import Orders
from dropout_lab.runs.stopping import StopRequest
from dropout_lab.runs.worker_job import JobTrainer, run_of

POLL_SECONDS = 0.5
NEEDS_SERVER = (
    "Start a tracking server that all nodes reach, and set MLFLOW_TRACKING_URI to its address:"
    " docs/cluster.md shows how."
)
LOCK_SECONDS = 4 * LOST_SECONDS
"""Time that a task waits for the process of an earlier attempt, which a node that is cut off still runs."""


@dataclass(frozen=True)
class Surroundings:
    """What a task needs to be like the command that started it.

    Attributes:
        folder: Current folder of the command, which all nodes share.
        orders: File of its orders.
        environment: Environment variables to set, before TensorFlow starts.
        only_host: Id of the only host that may train, if the tracking store is a file; else empty.
    """

    folder: str
    orders: str
    environment: Mapping[str, str]
    only_host: str = ""


def train_on_node(surroundings: Surroundings, job: Message, *, is_retry: bool = False) -> Iterator[Message]:
    """Yield the node that this task is on, then what `train` yields."""
    import ray

    yield {"event": "placed", "node": ray.get_runtime_context().get_node_id()}
    yield from train(surroundings, job, is_retry=is_retry)


def train(surroundings: Surroundings, job: Message, *, is_retry: bool = False) -> Iterator[Message]:
    """Train the run of a job, and yield the messages of a worker.

    Args:
        surroundings: Folder and environment of the command.
        job: The message that a worker would receive.
        is_retry: Whether an earlier attempt ended without a word.
    """
    orders, name = Orders(Path(surroundings.orders)), run_of(job).name
    try:
        _enter(surroundings, orders)
    except DropoutLabError as error:
        messages: list[Message] = []
        SendingReporter(messages.append).failed(worded(name, error))
        yield from messages
        return
    sent: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
    stop = StopRequest()
    pruned: set[str] = set()

    def work() -> None:
        try:
            JobTrainer(sent.put, stop, pruned).train(job, lock_seconds=LOCK_SECONDS if is_retry else 0.0)
        except Exception as error:
            SendingReporter(sent.put).failed(worded(name, error))
        finally:
            sent.put(None)

    # This thread yields; the other one trains. Both end with the process, however that ends.
    threading.Thread(target=work, daemon=True).start()
    asked_at = time.monotonic()
    while True:
        if time.monotonic() - asked_at > POLL_SECONDS:
            _heed(orders, stop, pruned)
            asked_at = time.monotonic()
        try:
            message = sent.get(timeout=POLL_SECONDS)
        except queue.Empty:
            continue
        if message is None:
            return
        yield message


def _enter(surroundings: Surroundings, orders: Orders) -> None:
    here = platform.node()
    try:
        os.chdir(surroundings.folder)
        orders.read()
    except OSError:
        raise DropoutLabError(
            f"{surroundings.folder} on {here} is not the folder of the command that started this run.",
            hint="Start the command in a folder that all nodes share under the same path, such as a network"
            " file system.",
        ) from None
    if surroundings.only_host not in ("", host_id()):
        raise DropoutLabError(
            f"{here} cannot use the SQLite file of another host.",
            hint=NEEDS_SERVER,
        )
    os.environ.update(surroundings.environment)


def _heed(orders: Orders, stop: StopRequest, pruned: set[str]) -> None:
    try:
        told = orders.read()
    except OSError:
        return
    stop.signal_number = stop.signal_number or told.get("stop", 0)
    pruned.update(told.get("prune", ()))
