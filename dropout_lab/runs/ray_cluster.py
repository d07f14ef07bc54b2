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
HOST_AND_PORT = re.compile(r"(\[[\da-fA-F:.]+\]|[\w.-]+):(\d{1,5})")
HERE = ("auto", "local")
"""Words of Ray: the cluster that runs on this host, and a new one on this host alone."""

ALLOWED = "allowed: HOST:PORT, auto or local"
VARIABLE = "RAY_ADDRESS"


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
        yield _nodes(ray)
        return
    with _variables():
        _connect(ray, address)
        try:
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


def _token_hint() -> str:
    return (
        "A cluster that was started with a token requires it here, too: set RAY_AUTH_MODE=token, and copy"
        " ~/.ray/auth_token from its head node or set RAY_AUTH_TOKEN. If there is none yet, run"
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

    Whether it uses a token is left to the user: with a token on a cluster without one, a process connects
    but receives nothing from its tasks.
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
