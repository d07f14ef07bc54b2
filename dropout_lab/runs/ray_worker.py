"""A worker on a Ray cluster as the command sees it: each of its runs is a task, in a process of its own."""

import contextlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from dropout_lab.runs.failures import TO_RESUME
from dropout_lab.runs.messages import Message
from dropout_lab.runs.outcome import Failure
from dropout_lab.runs.ray_orders import Orders
from dropout_lab.runs.ray_task import Surroundings, train_on_node
from dropout_lab.runs.worker_job import run_of

MAX_RETRIES = 3
"""How often a run is continued elsewhere after its node or its process died."""

NODE_POLL_SECONDS = 5.0
"""Silence of a task after which its node is looked for."""

END_SECONDS = 20.0
ENDS = ("finished", "failed", "interrupted")


class RayWorker:
    """Place for one run at a time on a cluster.

    Args:
        surroundings: What its tasks need to be like this process.
        orders: Orders to all tasks.
        resources: What a task needs, as options of a Ray task.
        threads: Number of threads that it computes with.
        receive: Called in another thread with each message, and with None when a run died for good.

    Attributes:
        is_ready: Whether its task has started TensorFlow.
    """

    def __init__(
        self,
        surroundings: Surroundings,
        orders: Orders,
        resources: Mapping[str, Any],
        threads: int,
        receive: Callable[["RayWorker", Message | None], None],
    ) -> None:
        import ray

        self.threads = threads
        self.is_ready = False
        self._surroundings = surroundings
        self._orders = orders
        # Ray's own retries would lose the messages of the second attempt: retried generators start again.
        task = ray.remote(max_calls=1, max_retries=0, num_returns="streaming", **resources)
        self._train = task(train_on_node)
        self._receive = receive
        self._ray = ray
        self._task: Any = None
        self._listener: threading.Thread | None = None
        self._is_killed = False
        self._has_started = False
        self._failure = Failure("", "")

    def tell(self, message: Message) -> None:
        """Start the run of a job, or pass an order on to all tasks."""
        if "provenance" not in message:
            self._orders.tell(message)
            return
        self.is_ready = self._has_started = False
        self._listener = threading.Thread(target=self._follow, args=(message,), daemon=True)
        self._listener.start()

    def dismiss(self) -> None:
        """Do nothing: a task ends with its run."""

    def end(self) -> None:
        """Wait until the task, whose run has ended, has ended too."""
        if self._listener is not None:
            self._listener.join(END_SECONDS)
            if self._listener.is_alive():
                self.kill()

    def kill(self) -> None:
        """End the task at once, and wait until nothing is received from it any more.

        A thread that still asks Ray for messages after this process has disconnected would start a new
        cluster: Ray does so in any process that asks and is not connected.
        """
        self._is_killed = True
        self._cancel()
        if self._listener is not None:
            self._listener.join(END_SECONDS)

    def failure(self, name: str) -> Failure:
        """Return the failure of the run `name`, whose attempts all died."""
        return replace(self._failure, name=name)

    def _cancel(self) -> None:
        if self._task is not None:
            with contextlib.suppress(self._ray.exceptions.RayError):
                self._ray.cancel(self._task, force=True)

    def _follow(self, job: Message) -> None:
        """Receive the messages of a run, attempt after attempt."""
        died = (
            self._ray.exceptions.WorkerCrashedError,
            self._ray.exceptions.NodeDiedError,
            self._ray.exceptions.LocalRayletDiedError,
            self._ray.exceptions.OutOfMemoryError,
            self._ray.exceptions.ObjectLostError,
        )
        for attempt in range(MAX_RETRIES + 1):
            try:
                if self._receive_all(job, is_retry=attempt > 0):
                    return
                self._failure = Failure("", "its task ended without a result", TO_RESUME)
            except died as error:
                self._failure = Failure("", f"its task died: {_first_line(error)}", TO_RESUME)
            except self._ray.exceptions.RayError as error:
                problem = f"its task could not be executed: {_first_line(error)}"
                self._failure = Failure("", problem, TO_RESUME, stops_others=not self.is_ready)
                break
            if self._is_killed:
                return
            if attempt < MAX_RETRIES:
                note = f"{run_of(job).name}: {self._failure.message} Continuing it on the cluster."
                self._receive(self, {"event": "noted", "message": note})
            if self._has_started:  # what this attempt saved is what the next one continues
                job = {**job, "task": {**job["task"], "fresh": False}}
        self._receive(self, None)

    def _receive_all(self, job: Message, *, is_retry: bool) -> bool:
        """Receive the messages of one attempt; return whether the last one tells how the run ended."""
        self.is_ready = False
        self._task = self._train.remote(self._surroundings, job, is_retry=is_retry)
        if self._is_killed:  # before there was a task to cancel
            self._cancel()
        node = ""
        while True:
            if not self._ray.wait([self._task], timeout=NODE_POLL_SECONDS)[0]:
                self._require_alive(node)
                continue
            try:
                message = self._ray.get(next(self._task))
            except StopIteration:
                return False
            if message["event"] == "placed":
                node = message["node"]
                continue
            self._has_started |= message["event"] == "started"
            self._receive(self, message)
            if message["event"] in ENDS:
                return True

    def _require_alive(self, node: str) -> None:
        """Raise NodeDiedError if the cluster has given up a node; an open connection to it tells nothing."""
        if node and not any(one["NodeID"] == node and one["Alive"] for one in self._ray.nodes()):
            raise self._ray.exceptions.NodeDiedError("its node does not respond.")


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].partition(". ")[0].rstrip(".") + "."
