"""What is said of failures: by their type and status, whatever their words and language."""

import errno
import http.server
import importlib.util
import socket
import sqlite3
import threading
from pathlib import Path

import pytest
from requests import HTTPError, Response
from sqlalchemy.exc import OperationalError

from dropout_lab.errors import TrackingError, TrackingUnavailable
from dropout_lab.tracking import connect, read_runs
from dropout_lab.tracking.checking import check_store
from dropout_lab.tracking.failures import failures_told
from dropout_lab.tracking.location import Location

PASSWORD = "s3cretPass99x"
SQLITE = Location("sqlite:////data/mlflow.db", "/data/mlflow.db", Path("/data/mlflow.db"))
DATABASE = Location("postgresql://u:s3cret@db/runs", "postgresql://***@db/runs")


def told(error: BaseException, location: Location = SQLITE) -> TrackingError:
    with pytest.raises(TrackingError) as caught, failures_told(location):
        raise error
    return caught.value


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ENOSPC, "No room left"),
        (errno.EDQUOT, "No room left"),
        (errno.EACCES, r"cannot be written: .*\[EACCES\]"),
        (errno.EROFS, r"cannot be written: .*\[EROFS\]"),
        (errno.EIO, "I/O error"),
    ],
)
def test_failures_of_the_system_are_told_in_any_language(number, expected):
    error = told(OSError(number, "Etwas ging schief", "/data/x"))
    assert error.hint
    with pytest.raises(TrackingError, match=f"{expected}"):
        raise error
    assert "/data/x" in error.message


@pytest.mark.parametrize(
    ("state", "expected", "kind"),
    [
        ("28P01", "refuses access", TrackingError),
        ("42501", "refuses access", TrackingError),
        ("08006", "does not answer", TrackingUnavailable),
        ("57P03", "does not answer", TrackingUnavailable),
        ("", "does not answer", TrackingUnavailable),
    ],
)
def test_failures_of_a_database_server_are_told_by_its_code(state, expected, kind):
    original = Exception("password=s3cret rejeté")
    original.pgcode = state  # type: ignore[attr-defined]
    error = told(OperationalError("SELECT", {}, original), DATABASE)
    assert expected in error.message
    assert isinstance(error, kind)
    assert "s3cret" not in str(error)


def test_a_bug_of_our_own_is_no_failure_of_the_store():
    with pytest.raises(TypeError), failures_told(SQLITE):
        raise TypeError("a bug")


def test_sqlite_codes_are_read_from_the_error(tmp_path):
    file = tmp_path / "x.db"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE a (b)")
    holder, waiter = sqlite3.connect(file, isolation_level=None), sqlite3.connect(file, timeout=0)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(sqlite3.OperationalError) as caught:
        waiter.execute("SELECT * FROM a")
    assert "locked by another process" in told(caught.value).message
    assert isinstance(told(caught.value), TrackingUnavailable)
    holder.close()
    waiter.close()


@pytest.fixture
def answering(request, monkeypatch):
    """A server that answers every call with one status, in plain text; `request.param` is the status."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = b"Vous n'etes pas authentifie."
            self.send_response(200 if self.path == "/health" else request.param)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://someone:{PASSWORD}@127.0.0.1:{server.server_port}")
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        yield request.param
        server.shutdown()


@pytest.mark.parametrize(
    ("answering", "expected"),
    [
        (401, "refuses access"),
        (403, "refuses access"),
        (404, "not as an MLflow tracking server does"),
        (429, "does not answer"),
        (503, "does not answer"),
    ],
    indirect=["answering"],
)
def test_answers_of_a_server_are_told_by_their_status(answering, expected):
    for call in (read_runs, lambda: connect("any"), check_store):
        with pytest.raises(TrackingError, match=expected) as caught:
            call()
        assert PASSWORD not in str(caught.value)
        if answering in (401, 403):
            for name in ("USERNAME", "PASSWORD", "TOKEN"):
                assert f"MLFLOW_TRACKING_{name}" in caught.value.hint


def test_a_file_that_is_too_large_for_a_server_is_told():
    response = Response()
    response.status_code = 413
    error = told(HTTPError("413", response=response), Location("http://host", "http://host"))
    assert "too large" in error.message


def test_a_missing_driver_is_named_at_once(monkeypatch):
    if importlib.util.find_spec("MySQLdb"):
        pytest.skip("the driver is installed")
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"mysql://u:{PASSWORD}@127.0.0.1:{server.getsockname()[1]}/runs"
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        with pytest.raises(TrackingError, match=r"not installed: .*MySQLdb") as caught:
            read_runs()
    assert PASSWORD not in str(caught.value)


@pytest.fixture(scope="module")
def protected_server(make_server, tmp_path_factory):
    """A real `mlflow server` with basic authentication; its address without a user."""
    pytest.importorskip("flask_wtf", reason="needs `pip install flask-wtf`")
    running = make_server(tmp_path_factory.mktemp("protected"), password=PASSWORD)
    try:
        running.start()
        yield running.uri.removeprefix("http://")
    finally:
        running.kill()


@pytest.mark.slow
def test_a_server_with_basic_authentication(protected_server, monkeypatch):
    for user in ("", "admin:wrong@", "nobody:x@"):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://{user}{protected_server}")
        for call in (read_runs, lambda: connect("any"), check_store):
            with pytest.raises(TrackingError, match=r"refuses access.*\n.*MLFLOW_TRACKING_PASSWORD"):
                call()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://{protected_server}")
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "admin")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", PASSWORD)
    check_store()
    assert connect("any").experiment_id
