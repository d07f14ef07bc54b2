"""The MLflow UI, served by a real process."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable

import psutil
import pytest

from dropout_lab.cli.ui import ui
from dropout_lab.errors import UsageError


@pytest.fixture
def port(make_port: Callable[[], int]) -> int:
    return make_port()


@pytest.fixture
def store(logged_runs, monkeypatch):
    folder, _ = logged_runs
    monkeypatch.chdir(folder)


def start(port: int, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "dropout_lab", "ui", "--port", str(port), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for_page(process: subprocess.Popen[str], port: int) -> str:
    for _ in range(1200):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=1) as page:
                return page.read().decode()
        except OSError:
            assert process.poll() is None
            time.sleep(0.1)
    raise AssertionError("no answer")


@pytest.mark.slow
@pytest.mark.usefixtures("store")
def test_the_page_is_served_on_this_machine_only_until_ctrl_c(port):
    process = start(port)
    try:
        assert "MLflow" in wait_for_page(process, port)
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
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert [line.partition(": ")[0] for line in err.splitlines()] == ["MLflow UI (Ctrl-C stops it)"]
    _, left = psutil.wait_procs(family, timeout=60)
    assert left == []


@pytest.mark.slow
@pytest.mark.usefixtures("store")
def test_the_page_answers_to_the_names_of_this_machine(port):
    """As a browser asks: with the host in its address line, and the page's origin when it posts."""
    process = start(port, "--host", "0.0.0.0", "--allow-host", "proxy.example")

    def status(host: str, origin: str = "") -> int:
        search = f"http://127.0.0.1:{port}/ajax-api/2.0/mlflow/experiments/search"
        headers = {"Host": host, "Content-Type": "application/json"} | ({"Origin": origin} if origin else {})
        request = urllib.request.Request(
            search, data=b'{"max_results": 1}' if origin else None, headers=headers
        )
        if not origin:
            request.full_url += "?max_results=1"
        try:
            with urllib.request.urlopen(request, timeout=300) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    try:
        wait_for_page(process, port)
        addresses = [
            one.address
            for all_of in psutil.net_if_addrs().values()
            for one in all_of
            if one.family == socket.AF_INET
        ]
        known = [socket.gethostname(), *addresses, "localhost", "[::1]"]
        for host in [*(f"{name}:{port}" for name in known), "proxy.example", "proxy.example:8080"]:
            assert status(host) == 200, host
            assert status(host, f"http://{host}") == 200, host
        assert status("evil.example") == 403
        assert status(f"localhost:{port}", "http://evil.example") == 403
    finally:
        os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert f"http://{socket.gethostname()}:{port}" in err
    assert "whoever reaches port" in err


@pytest.mark.usefixtures("store")
def test_a_host_that_is_not_this_machine_is_refused(port):
    for host in ("192.0.2.1", "no such name"):
        with pytest.raises(UsageError, match=f"--host: {host} is no address of this machine"):
            ui(port, host)


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
