"""Finding and opening the store, and what is said, within seconds, where that fails."""

import http.server
import os
import socket
import socketserver
import sqlite3
import subprocess
import sys
import threading
import time

import pytest

from dropout_lab.errors import TrackingError, TrackingUnavailable
from dropout_lab.records import RunStatus
from dropout_lab.tracking import connect, read_runs, store


def run_program(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "content", [b"these are not the bytes of a database" * 100, b"SQLite format 3\0" * 300]
)
def test_damaged_database_is_named_and_left_as_it_is(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mlflow.db").write_bytes(content)
    for call in (lambda: connect("any"), read_runs):
        with pytest.raises(TrackingError, match=r"mlflow.db is not an intact SQLite database.\n.*recover"):
            call()
    assert (tmp_path / "mlflow.db").read_bytes() == content


def test_a_store_without_room_to_be_made_leaves_nothing_half_made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    program = """
import resource
from dropout_lab.errors import TrackingError
from dropout_lab.tracking import connect

resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
try:
    connect("any")
except TrackingError as error:
    print(error.message, error.hint)
"""
    result = run_program(program)
    assert "has room" in result.stdout, result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mlruns"]
    connect("any")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mlflow.db", "mlruns"]


def test_what_a_killed_process_left_half_written_is_taken_back(sqlite_store, make_start):
    run_id = connect("killed").start_run(make_start())
    program = f"""
import os, signal, sqlite3
connection = sqlite3.connect({str(sqlite_store / "mlflow.db")!r}, isolation_level=None)
connection.execute("PRAGMA cache_size = 1")  # so that pages reach the file before the end
connection.execute("BEGIN IMMEDIATE")
connection.execute("UPDATE runs SET name = hex(zeroblob(100000))")
os.kill(os.getpid(), signal.SIGKILL)
"""
    run_program(program)
    assert (sqlite_store / "mlflow.db-journal").stat().st_size > 0
    (run,) = read_runs("killed")
    assert (run.run_id, run.run_name) == (run_id, make_start().run_name)


def test_database_of_another_mlflow(sqlite_store):
    with sqlite3.connect(sqlite_store / "mlflow.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0123456789ab'")
    with pytest.raises(TrackingError, match=r"another version of MLflow: .*0123456789ab.*\n.*Upgrade MLflow"):
        connect("any")


def test_reading_where_nothing_is_creates_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TrackingError, match=r"no runs yet.*\n.*dropout-lab run"):
        read_runs()
    assert list(tmp_path.iterdir()) == []


def test_server_that_is_not_there(make_port, monkeypatch):
    port = make_port()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://someone:s3cret@127.0.0.1:{port}/")
    for call in (lambda: connect("any"), read_runs):
        with pytest.raises(TrackingUnavailable) as caught:
            call()
        assert f"127.0.0.1:{port}" in str(caught.value)
        assert "s3cret" not in str(caught.value)
        assert "someone" not in str(caught.value)


def test_server_that_takes_the_call_and_is_silent(monkeypatch):
    monkeypatch.setattr(store, "PROBE_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(TrackingUnavailable):
            connect("any")


def test_database_server_that_is_not_there(make_port, monkeypatch):
    port = make_port()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"postgresql://someone:s3cret@127.0.0.1:{port}/runs")
    with pytest.raises(TrackingUnavailable) as caught:
        connect("any")
    assert "s3cret" not in str(caught.value)


def test_another_kind_of_server(monkeypatch):
    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>a page</html>")

        do_POST = do_GET  # noqa: N815

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        for path in ("", "/a folder/ü"):
            address = f"http://someone:s3cret@127.0.0.1:{other.server_port}{path}"
            monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
            with pytest.raises(TrackingError, match="not as an MLflow tracking server does") as caught:
                connect("any")
            assert "s3cret" not in str(caught.value)
        other.shutdown()


def test_a_server_that_does_not_speak_http(monkeypatch):
    class Shell(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
            self.request.recv(1000)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Shell) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{other.server_address[1]}")
        with pytest.raises(TrackingError, match="not as an MLflow tracking server does: SSH-2"):
            connect("any")
        other.shutdown()


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user, which needs root")
def test_folder_without_permission(sqlite_store, make_start):
    run_id = connect("fashion-mnist").start_run(make_start())
    for folder in (sqlite_store, *sqlite_store.parents[:-2]):
        folder.chmod(0o755)
    program = (
        "import os\n"
        "from dropout_lab.tracking import connect, read_runs\n"
        "read_runs('fashion-mnist')\n"  # imports what the other user may not be able to
        "os.setuid(65534)\n"
        "print(read_runs('fashion-mnist')[0].run_id)\n"
        "connect('fashion-mnist')\n"
    )
    ended = run_program(program)
    assert ended.stdout.strip() == run_id, ended.stderr  # reading is possible
    assert "no permission to write there" in ended.stderr


def _locked_then_written(path: str) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        time.sleep(2)
        connection.rollback()


def test_locked_database_is_waited_for(sqlite_store, make_start):
    tracker = connect("fashion-mnist")
    holder = threading.Thread(target=_locked_then_written, args=[str(sqlite_store / "mlflow.db")])
    holder.start()
    time.sleep(0.5)
    run_id = tracker.start_run(make_start())
    holder.join()
    assert read_runs("fashion-mnist")[0].run_id == run_id


WRITE_A_RUN = """
import os, sys
from dropout_lab.records import DataFingerprint, EpochMetrics, RunStart, RunStatus
from dropout_lab.tracking import connect

def write(seed):
    data = DataFingerprint(folder="", checksums={}, num_train=1, num_validation=1, num_test=1, digest="d")
    spec = {"training.epochs": "5", "seed": str(seed)}
    tracker = connect("shared")
    run_id = tracker.start_run(RunStart(
        run_name=f"run-{seed}", description="", condition="baseline", seed=seed, spec=spec, tags={},
        data=data, texts={"spec/resolved.yaml": str(seed)}))
    epochs = [EpochMetrics(epoch=epoch, loss=seed + epoch / 10, accuracy=0.5, val_loss=0.5, val_accuracy=0.5,
                           epoch_seconds=1.0, end_time_ms=1000 * epoch) for epoch in range(1, 6)]
    for num_epochs in range(1, 6):
        tracker.log_epochs(run_id, epochs[:num_epochs])
    tracker.end_run(run_id, RunStatus.FINISHED)

children = []
for seed in range(8):
    child = os.fork()
    if not child:
        write(seed)
        os._exit(0)
    children.append(child)
sys.exit(any([os.waitpid(child, 0)[1] for child in children]))
"""


def test_eight_processes_create_and_write_one_store_at_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ended = run_program(WRITE_A_RUN)
    assert (ended.returncode, ended.stderr) == (0, "")
    runs = read_runs("shared", histories=["loss"])
    assert sorted(run.seed for run in runs) == list(range(8))
    for run in runs:
        assert run.status is RunStatus.FINISHED
        assert run.spec == {"training.epochs": "5", "seed": str(run.seed)}
        assert run.history["loss"] == tuple(run.seed + epoch / 10 for epoch in range(1, 6))


def test_only_our_own_words_reach_the_terminal(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    program = (
        "from pathlib import Path\n"
        "from dropout_lab.errors import TrackingError\n"
        "from dropout_lab.tracking import connect\n"
        "tracker = connect('quiet')\n"
        "Path('mlflow.db').write_bytes(b'no database')\n"
        "try:\n"
        "    tracker.resume_run('0' * 32)\n"
        "except TrackingError:\n"
        "    print('told')\n"
    )
    ended = run_program(program)
    assert (ended.stdout, ended.stderr) == ("told\n", "")
