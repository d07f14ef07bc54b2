"""The MLflow UI, served by a real process."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import psutil
import pytest

from dropout_lab.cli.ui import ui
from dropout_lab.errors import UsageError


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def store(logged_runs, monkeypatch):
    folder, _ = logged_runs
    monkeypatch.chdir(folder)


@pytest.mark.slow
@pytest.mark.usefixtures("store")
def test_the_page_is_served_on_this_machine_only_until_ctrl_c(port):
    process = subprocess.Popen(
        [sys.executable, "-m", "dropout_lab", "ui", "--port", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        for _ in range(1200):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=1) as page:
                    assert "MLflow" in page.read().decode()
                break
            except OSError:
                assert process.poll() is None
                time.sleep(0.1)
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        listening = {
            connection.laddr.ip
            for member in family
            for connection in member.net_connections("inet")
            if connection.status == psutil.CONN_LISTEN
        }
        assert listening == {"127.0.0.1"}
    finally:
        os.killpg(process.pid, signal.SIGINT)  # as a terminal sends Ctrl-C: to all of them
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    _, left = psutil.wait_procs(family, timeout=60)
    assert left == []


@pytest.mark.usefixtures("store")
def test_a_port_in_use_is_told(port):
    with (
        socket.create_server(("127.0.0.1", port)),
        pytest.raises(UsageError, match=f"--port: {port} is in use"),
    ):
        ui(port)


def test_a_tracking_server_serves_its_own_page(monkeypatch, capsys):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://user:secret@example.com:5000")
    monkeypatch.setattr("dropout_lab.tracking.reader.find_view", lambda base: f"{base}/#/experiments/1")
    ui()
    address = "http://example.com:5000/#/experiments/1"
    assert capsys.readouterr().out == f"The tracking server has the MLflow UI: {address}\n"
