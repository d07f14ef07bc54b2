"""``dropout-lab ui``: start the MLflow UI on localhost."""

import os
import socket
import subprocess
import sys
import time
from typing import Annotated

import typer

from dropout_lab.cli.help import documented
from dropout_lab.errors import UsageError

HOST = "127.0.0.1"
POLL_SECONDS = 0.2


@documented(
    "Start the MLflow UI on localhost.",
    examples=[
        "dropout-lab ui",
        "dropout-lab ui --port 5001",
    ],
)
def ui(
    port: Annotated[int, typer.Option(metavar="PORT", help="Port on localhost.", min=1, max=65535)] = 5000,
) -> None:
    """Serve the MLflow UI until a signal arrives."""
    from dropout_lab.runs.stopping import listen_for_stop
    from dropout_lab.tracking import links, locate
    from dropout_lab.tracking.reader import find_view
    from dropout_lab.tracking.store import open_client

    location = locate()
    if location.is_server:
        print(f"The tracking server has the MLflow UI: {find_view(links.base_address(location.uri))}")
        return
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            raise UsageError(
                f"--port: {port} is in use",
                hint=f"Open http://{HOST}:{port} if the MLflow UI runs there already, or use another port: "
                f"`dropout-lab ui --port {port + 1 if port < 65535 else port - 1}`.",
            ) from None
    # Before the server opens the database, this upgrades it, or follows its folder.
    _, location = open_client(create=True)
    print(f"MLflow UI (Ctrl-C stops it): {find_view(f'http://{HOST}:{port}')}", file=sys.stderr)
    environment = {
        **os.environ,
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_BACKEND_STORE_URI": location.uri,  # not as an argument: it may hold a password
        "PYTHONWARNINGS": "ignore",
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
        "--uvicorn-opts",
        "--log-level warning",
    ]
    # In a process group of its own: SIGTERM ends it in order, Ctrl-C with a traceback.
    with listen_for_stop() as stop, subprocess.Popen(command, env=environment, process_group=0) as server:
        while server.poll() is None:
            if stop.signal_number:
                server.terminate()
            time.sleep(POLL_SECONDS)
    if stop.signal_number:
        raise typer.Exit(128 + stop.signal_number)
    if server.returncode:
        raise typer.Exit(1)
