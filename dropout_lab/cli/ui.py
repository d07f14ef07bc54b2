"""``dropout-lab ui``: MLflow's page of the runs, for this machine only."""

import os
import socket
import subprocess
import sys
from typing import Annotated

import typer

from dropout_lab.errors import UsageError

HOST = "127.0.0.1"


def ui(port: Annotated[int, typer.Option(help="Port on this machine.", min=1, max=65535)] = 5000) -> None:
    """Serve MLflow's page of the runs on this machine, with few processes and reachable from nowhere else.

    Example:

      dropout-lab ui --port 5001
    """
    from dropout_lab.tracking import links, locate

    location = locate()
    if location.kind in ("http", "https"):
        print(f"The tracking server serves the page: {links.base_address(location.uri)}")
        return
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            raise UsageError(
                f"[--port] expected a free port, received {port}: it is in use.",
                hint=f"Open http://{HOST}:{port} if MLflow serves there already, or name another port.",
            ) from None
    print(f"MLflow's page: http://{HOST}:{port}/  (Ctrl-C ends it)", file=sys.stderr)
    environment = {
        **os.environ,
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_BACKEND_STORE_URI": location.uri,  # not as an argument: it may hold a password
    }
    command = [
        sys.executable,
        "-m",
        "mlflow",
        "server",
        "--host",
        HOST,
        "--port",
        str(port),
        "--workers",
        "1",
    ]
    result = subprocess.run(command, env=environment, check=False)
    if result.returncode:
        raise typer.Exit(1)
