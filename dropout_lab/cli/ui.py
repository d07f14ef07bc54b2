"""``dropout-lab ui``: start the MLflow UI."""

import os
import subprocess
import sys
import threading
import time
from typing import IO, Annotated

import typer

from dropout_lab.cli.help import documented

LOOPBACK = "127.0.0.1"
POLL_SECONDS = 0.2
MISLEADING = "[MLflow] Security middleware enabled"
"""Begins a line about options of MLflow, which this command has under other names."""


@documented(
    "Start the MLflow UI, on localhost or for other machines.",
    examples=[
        "dropout-lab ui",
        "dropout-lab ui --port 5001",
        "dropout-lab ui --host 0.0.0.0",
    ],
)
def ui(
    port: Annotated[int, typer.Option(metavar="PORT", help="Port.", min=1, max=65535)] = 5000,
    host: Annotated[
        str,
        typer.Option(
            metavar="HOST", help="Name or address of this machine to listen on; 0.0.0.0 for all of them."
        ),
    ] = LOOPBACK,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Another name under which browsers open the UI, such as that of a proxy; repeatable.",
        ),
    ] = None,
) -> None:
    """Serve the MLflow UI until a signal arrives."""
    from dropout_lab.cli import ui_hosts
    from dropout_lab.cli.sentences import answer, warn
    from dropout_lab.runs.stopping import listen_for_stop
    from dropout_lab.tracking import links, locate
    from dropout_lab.tracking.reader import find_view
    from dropout_lab.tracking.store import open_client

    location = locate()
    if location.is_server:
        answer(f"The tracking server has the MLflow UI: {find_view(links.base_address(location.uri))}")
        return
    ui_hosts.require_free(host, port)
    # Before the server opens the database, this upgrades it, or follows its folder.
    _, location = open_client(create=True)
    address = find_view(f"http://{ui_hosts.shown_host(host)}:{port}")
    warn(f"MLflow UI (Ctrl-C stops it): {address}")
    if not ui_hosts.is_loopback(host):
        warn(
            f"Warning: there is no login: whoever reaches port {port} of this machine can read, change and "
            f"delete runs. Without --host, `ssh -L {port}:{LOOPBACK}:{port} HOST` on the other machine opens "
            "the UI to its user alone."
        )
    environment = {
        **os.environ,
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_BACKEND_STORE_URI": location.uri,  # not as an argument: it may hold a password
        "MLFLOW_REGISTRY_STORE_URI": location.uri,
        "PYTHONWARNINGS": "ignore",
    }
    if allow_host or not ui_hosts.is_loopback(host):
        environment |= ui_hosts.server_variables(host, allow_host or ())
    command = [
        sys.executable,
        "-m",
        "mlflow",
        "server",
        "--host",
        host,
        "--port",
        str(port),
        "--workers",
        "1",
        "--uvicorn-opts",
        "--log-level warning",
    ]
    # In a process group of its own: SIGTERM ends it in order, Ctrl-C with a traceback.
    with (
        listen_for_stop() as stop,
        subprocess.Popen(
            command, env=environment, process_group=0, stderr=subprocess.PIPE, text=True
        ) as server,
    ):
        messages = threading.Thread(target=_pass_on, args=[server.stderr], daemon=True)
        messages.start()
        while server.poll() is None:
            if stop.signal_number:
                server.terminate()
            time.sleep(POLL_SECONDS)
        messages.join(POLL_SECONDS)
    if stop.signal_number:
        raise typer.Exit(128 + stop.signal_number)
    if server.returncode:
        raise typer.Exit(1)


def _pass_on(lines: IO[str]) -> None:
    """Print what the server says on stderr."""
    from dropout_lab.cli.sentences import warn

    for line in lines:
        if not line.startswith(MISLEADING):
            warn(line.rstrip("\n"))
