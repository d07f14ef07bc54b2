"""Who may open the MLflow UI: MLflow answers only requests that name a host that it knows."""

import errno
import ipaddress
import socket
from collections.abc import Sequence

import psutil

from dropout_lab.errors import UsageError

LOOPBACK = "127.0.0.1"
_LOCAL_NAMES = ("localhost", LOOPBACK, "::1")


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches `host`."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def shown_host(host: str) -> str:
    """Return what to write in an address for `host`; for all addresses, the name of this machine."""
    name = socket.gethostname() if host in ("0.0.0.0", "::") else host
    return f"[{name}]" if ":" in name else name


def server_variables(host: str, allowed: Sequence[str]) -> dict[str, str]:
    """Return the variables by which MLflow answers to the names of this machine and to `allowed`.

    It refuses other names, since a page from elsewhere could otherwise read the runs through the browser of
    someone who can reach the port (DNS rebinding). What changes runs must come from a page at such a name.

    Args:
        host: Address to listen on.
        allowed: Further names, such as that of a proxy; ``*`` stands for any characters.
    """
    interfaces = [one.address for all_of in psutil.net_if_addrs().values() for one in all_of]
    addresses = [one.partition("%")[0] for one in interfaces if _is_address(one.partition("%")[0])]
    names = dict.fromkeys([*_LOCAL_NAMES, socket.gethostname(), socket.getfqdn(), host, *addresses, *allowed])
    hosts = [f"[[]{name}]" if ":" in name else name for name in names if name]
    plain = [f"[{name}]" if ":" in name else name for name in names if name]
    with_ports = [f"{name}:*" for name in hosts]  # any port, since it may be forwarded
    return {
        "MLFLOW_SERVER_ALLOWED_HOSTS": ",".join([*plain, *with_ports]),
        "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS": ",".join(
            f"{scheme}://{name}" for scheme in ("http", "https") for name in (*plain, *with_ports)
        ),
    }


def require_free(host: str, port: int) -> None:
    """Raise UsageError unless a server can listen on `port` of `host`."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise UsageError(
                f"--port: {port} is in use",
                hint=f"Open http://{shown_host(host)}:{port} if the MLflow UI runs there already, or use "
                f"another port: `dropout-lab ui --port {port + 1 if port < 65535 else port - 1}`.",
            ) from None
        if error.errno == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror):
            raise UsageError(
                f"--host: {host} is no address of this machine (allowed: its names and addresses)",
                hint="0.0.0.0 stands for all of them.",
            ) from None
        raise UsageError(
            f"--port: {port} of {host} cannot be opened ({error.strerror})",
            hint="Use a port from 1024 on.",
        ) from None


def _is_address(text: str) -> bool:
    try:
        return bool(ipaddress.ip_address(text))
    except ValueError:
        return False
