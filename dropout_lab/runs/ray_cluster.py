"""Connect to a Ray cluster, and see what its nodes have."""

import logging
import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from dropout_lab.errors import DropoutLabError, UsageError
from dropout_lab.native_log import without_native_log

PROBE_SECONDS = 4.0
TASK_SECONDS = 60.0
"""Time that a cluster has to start the process of a task, which takes a second unless its nodes are busy."""

HOST_AND_PORT = re.compile(r"(\[[\da-fA-F:.]+\]|[\w.-]+):(\d{1,5})")
HERE = ("auto", "local")
"""Words of Ray: the cluster that runs on this host, and a new one on this host alone."""

ALLOWED = "allowed: HOST:PORT, auto or local"
VARIABLE = "RAY_ADDRESS"
AUTH_VARIABLE = "RAY_AUTH_MODE"
"""Ray sets it, if it finds a token, in a process that connects and in all processes of a new cluster."""


class ClusterError(DropoutLabError):
    """The cluster cannot be used; nothing was started."""

    exit_code = 2


@dataclass(frozen=True)
class Node:
    """A node of a cluster.

    Attributes:
        host: Address of its host.
        cpus, gpus: Numbers of CPUs and GPUs that tasks may use.
        memory: Bytes that tasks may use.
    """

    host: str
    cpus: float
    gpus: float
    memory: float


@contextmanager
def connected(address: str | None) -> Iterator[list[Node]]:
    """Connect to a cluster inside this context, and yield its nodes.

    A cluster that this process is connected to already is used, and stays connected.

    Args:
        address: ``HOST:PORT`` of its head node, ``auto`` or ``local``. [default: RAY_ADDRESS, else the
            cluster that runs on this host, else a new one on this host for the time of the call]

    Raises:
        UsageError: If Ray is not installed, or the address is not one.
        ClusterError: If the cluster cannot be used.
    """
    check_address(address)
    ray = import_ray()
    if ray.is_initialized():
        if address is not None:
            raise UsageError("address: not allowed, since this process is connected to a cluster already")
        _require_same_mode(ray)
        yield _nodes(ray)
        return
    with _variables():
        _connect(ray, address)
        try:
            _require_same_mode(ray)
            yield _nodes(ray)
        finally:
            ray.shutdown()


def check_address(address: str | None) -> None:
    """Raise unless a cluster may be at an address.

    Raises:
        UsageError: If it cannot.
        ClusterError: If nothing listens there. Ray itself would wait for minutes.
    """
    given = address or os.environ.get(VARIABLE) or "auto"
    name = "address" if address else VARIABLE
    if given in HERE:
        return
    if given.startswith("ray://"):
        raise UsageError(
            f"{name}: {given!r} is an address of Ray Client, which is not supported ({ALLOWED})",
            hint="Start the command on a node of the cluster, with the address of its head: HOST:6379.",
        )
    found = HOST_AND_PORT.fullmatch(given)
    if found is None:
        raise UsageError(f"{name}: invalid value: {given!r} ({ALLOWED})")
    try:
        socket.create_connection((found[1].strip("[]"), int(found[2])), timeout=PROBE_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise ClusterError(
            f"{name}: no Ray cluster at {given}: {getattr(error, 'strerror', None) or error}",
            hint="Start one with `ray start --head`, which prints its address.",
        ) from None


def import_ray() -> Any:
    """Return the package Ray.

    Raises:
        UsageError: If it is not installed.
    """
    try:
        with _variables(), without_native_log():
            import ray
    except ImportError:
        raise UsageError(
            "executor: the package ray is not installed.",
            hint="Install it with `pip install 'dropout_lab[ray]'`.",
        ) from None
    return ray


def _connect(ray: Any, address: str | None) -> None:
    try:
        with without_native_log():
            ray.init(address, log_to_driver=False, include_dashboard=False, logging_level=logging.ERROR)
    except ray.exceptions.AuthenticationError as error:
        raise ClusterError(
            f"The Ray cluster refused this process: {str(error).splitlines()[0]}",
            hint=_token_hint(),
        ) from None
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        raise ClusterError(
            f"No connection to the Ray cluster: {str(error).splitlines()[0]}",
            hint=f"Check it with `ray status`. {_token_hint()}",
        ) from None
    _silence(ray)


def _require_same_mode(ray: Any) -> None:
    """Raise ClusterError if this process uses a token on a cluster without one.

    Ray connects them, and a task returns its value. But this process refuses, without an error, what a task
    yields, since that is sent without a token: the command would wait for its first message forever.
    """
    if not _is_token(os.environ.get(AUTH_VARIABLE)):
        return
    # Its process ends with it: Ray sets the number of threads by the first task of a process.
    ask = ray.remote(num_cpus=0, max_calls=1, max_retries=1)(os.getenv)
    try:
        mode = ray.get(ask.remote(AUTH_VARIABLE), timeout=TASK_SECONDS)
    except ray.exceptions.GetTimeoutError:
        raise ClusterError(
            f"The Ray cluster did not start a task within {TASK_SECONDS:g} s.",
            hint="Check it with `ray status`.",
        ) from None
    except ray.exceptions.RayError as error:
        raise ClusterError(
            f"The Ray cluster cannot execute a task: {str(error).splitlines()[0]}",
            hint="Check it with `ray status`.",
        ) from None
    if not _is_token(mode):
        raise ClusterError(
            "This command uses a token, but the Ray cluster was started without one.",
            hint="Start it with the token: `ray stop`, then `RAY_AUTH_MODE=token ray start --head`. To use it"
            " without one, set RAY_AUTH_MODE=disabled here.",
        )


def _is_token(mode: str | None) -> bool:
    return (mode or "").lower() == "token"


def _token_hint() -> str:
    return (
        "A cluster that was started with a token requires the same one here: set RAY_AUTH_MODE=token, and"
        " copy ~/.ray/auth_token from its head node or set RAY_AUTH_TOKEN. If there is none yet, run"
        " `ray get-auth-token --generate`, then `ray stop` and `ray start --head` again."
    )


def _nodes(ray: Any) -> list[Node]:
    found = []
    for node in ray.nodes():
        if node["Alive"]:
            has = node["Resources"]
            amounts = (has.get(name, 0.0) for name in ("CPU", "GPU", "memory"))
            found.append(Node(node["NodeManagerAddress"], *amounts))
    return found


@contextmanager
def _variables() -> Iterator[None]:
    """Set, inside this context, that Ray sends no usage statistics.

    Whether it uses a token is left to the user, since both sides must do the same.
    """
    name = "RAY_USAGE_STATS_ENABLED"
    before = os.environ.get(name)
    os.environ[name] = "0"
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def _silence(ray: Any) -> None:
    """Keep Ray from printing messages on nodes and workers, which reach the user in other words.

    It prints them on the standard output, and has no public way to turn that off.
    """
    with suppress(AttributeError):
        vars(ray._private.worker)["_worker_logs_enabled"] = False
