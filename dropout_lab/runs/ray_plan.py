"""How many runs train at once on a Ray cluster, and what each may use."""

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dropout_lab.evaluation.metrics import format_count
from dropout_lab.leases import host_id
from dropout_lab.runs.executors import Starting
from dropout_lab.runs.messages import Message
from dropout_lab.runs.planning import PlannedRun
from dropout_lab.runs.ray_cluster import ClusterError, Node, connected
from dropout_lab.runs.ray_orders import Orders
from dropout_lab.runs.ray_task import NEEDS_SERVER, Surroundings
from dropout_lab.runs.ray_worker import RayWorker
from dropout_lab.runs.worker_plan import (
    AUTO,
    WORKER_BYTES,
    given_threads,
    parse_count,
    thread_variables,
)

PASSED = (
    "MLFLOW_",
    "DROPOUT_LAB_",
    "KERAS_",
    "TF_",
    "XLA_",
    "ONEDNN_",
    "DNNL_",
    "NVIDIA_TF32_",
    "AWS_",
    "AZURE_",
)
"""Beginnings of environment variables that each task gets from the command."""

LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class RayPlan:
    """Runs at once on a cluster.

    Attributes:
        count: Number of runs at once.
        threads: Threads of each.
        gpus: GPUs of each.
        nodes: The nodes of the cluster when the command started.
        orders: Orders to all tasks.
        only_host: Id of the only host that may train, if the tracking store is a file; else empty.
    """

    count: int
    threads: int
    gpus: int
    nodes: tuple[Node, ...]
    orders: Orders
    only_host: str = ""

    def __str__(self) -> str:
        gpus = f" and {format_count(self.gpus, 'GPU')}" if self.gpus else ""
        each = f"{format_count(self.threads, 'thread')}{gpus} each"
        nodes = format_count(len(self.nodes), "node")
        return f"Ray on {nodes}: {format_count(self.count, 'run')} at once, {each}"

    def start(
        self, index: int, threads: int, receive: Callable[[RayWorker, Message | None], None]
    ) -> RayWorker:
        """Return the worker at `index`; its tasks start with its runs."""
        del index  # Ray divides what there is
        passed = {name: value for name, value in os.environ.items() if name.startswith(PASSED)}
        surroundings = Surroundings(
            folder=str(Path.cwd()),
            orders=str(self.orders.path),
            environment=passed | thread_variables(threads),
            only_host=self.only_host,
        )
        cpus = self._cpus(threads)
        resources: dict[str, Any] = {"num_cpus": cpus, "num_gpus": self.gpus, "memory": int(WORKER_BYTES)}
        return RayWorker(surroundings, self.orders, resources, threads, receive)

    def _cpus(self, threads: int) -> float:
        """Return how many CPUs a run asks for: no more than a node has that has the rest of what it needs.

        So a run that was started with more threads than any such node has CPUs still continues.
        """
        fits = [node for node in self.nodes if node.gpus >= self.gpus and node.memory >= WORKER_BYTES]
        return min(float(threads), max(node.cpus for node in fits))


@contextmanager
def planned_on_cluster(
    address: str | None, requested: str | None, runs: Sequence[PlannedRun], starting: Starting
) -> Iterator[RayPlan]:
    """Connect to a cluster inside this context, and yield how `runs` are trained there.

    Args:
        address: As in `connected`.
        requested: Number of runs at once, or ``auto``. [default: auto]
        runs: All runs of the call.
        starting: Entered while a library starts.

    Raises:
        UsageError: If `requested` is invalid, Ray is not installed, or the address is not one. Nothing was
            started, as for the next two.
        ClusterError: If the cluster cannot be used, or has no room for a run.
        TrackingError: If the tracking store has no valid address.
    """
    asked = parse_count(requested or AUTO)
    with ExitStack() as held:
        with starting("Ray"):
            nodes = held.enter_context(connected(address))
        only_host = _only_host({node.host for node in nodes}, starting)
        gpus = _gpus(nodes, {run.settings.device for run in runs})
        count = min(len(runs), _room(nodes, 1, gpus)) if asked is None else asked
        if not _room(nodes, 1, gpus):
            needed = f", {format_count(gpus, 'GPU')}" if gpus else ""
            raise ClusterError(
                f"No node of the Ray cluster has room for a run: 1 CPU{needed} and"
                f" {WORKER_BYTES / 2**30:g} GiB of memory (nodes: {len(nodes)}).",
                hint="See what they have with `ray status`, and start nodes with `ray start`.",
            )
        threads = given_threads() or _threads(nodes, count, gpus)
        orders = Orders.create()
        held.callback(orders.remove)
        yield RayPlan(count, threads, gpus, tuple(nodes), orders, only_host)


def _gpus(nodes: Sequence[Node], devices: Collection[str]) -> int:
    """Return how many GPUs each run gets: those of a node if one of the runs uses all, else at most one."""
    most = int(max(node.gpus for node in nodes))
    if "gpus" in devices:
        return most
    return min(most, 1) if set(devices) != {"cpu"} else 0


def _room(nodes: Sequence[Node], threads: int, gpus: int) -> int:
    """Return how many runs of `threads` threads and `gpus` GPUs the nodes have room for."""
    by_memory = (min(node.cpus // threads, node.memory // WORKER_BYTES) for node in nodes)
    return int(
        sum(
            min(room, node.gpus // gpus) if gpus else room
            for room, node in zip(by_memory, nodes, strict=True)
        )
    )


def _threads(nodes: Sequence[Node], count: int, gpus: int) -> int:
    """Return the largest number of threads with which `count` runs have room; 1 if they have none."""
    most = int(max(node.cpus for node in nodes))
    return next((number for number in range(most, 1, -1) if _room(nodes, number, gpus) >= count), 1)


def _only_host(hosts: Collection[str], starting: Starting) -> str:
    """Return the id of the only host that may train, if the store is a file of this host; else "".

    Raises:
        ClusterError: If there are several hosts, and not all can reach the store.
    """
    with starting("MLflow"):
        from dropout_lab.tracking import locate
    location = locate()
    if len(hosts) > 1:
        listed = ", ".join(sorted(hosts))
        if location.file is not None:
            raise ClusterError(
                f"{location.shown} is a SQLite file, which several hosts must not write ({listed}).",
                hint=NEEDS_SERVER,
            )
        if urlsplit(location.uri).hostname in LOCAL_HOSTS:
            raise ClusterError(
                f"{location.shown} is reached from this host only, and the cluster has several ({listed}).",
                hint=NEEDS_SERVER,
            )
    return host_id() if location.file is not None else ""
