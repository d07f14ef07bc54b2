"""Real stores for the tracking tests: SQLite files, PostgreSQL, and an `mlflow server` on loopback."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from dropout_lab.records import DataFingerprint, EpochMetrics, RunStart
from dropout_lab.tracking import connect


class Server:
    """An `mlflow server` that can be killed and started again on the same port and data.

    Args:
        folder: Folder of its files.
        port: Port that it listens on.
        store: Address of its store. [default: a SQLite file in the folder]
        password: Password of its user ``admin``; empty for a server that anyone can use.
    """

    def __init__(self, folder: Path, port: int, store: str = "", password: str = "") -> None:
        self.folder = folder
        self.port = port
        self.uri = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None
        self._options = ["--artifacts-destination", str(folder / "artifacts")]
        self._variables = {
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "MLFLOW_BACKEND_STORE_URI": store or f"sqlite:///{folder}/mlflow.db",
        }
        if password:
            (folder / "auth.ini").write_text(
                "[mlflow]\ndefault_permission = READ\nadmin_username = admin\n"
                f"admin_password = {password}\nauth_cache_ttl_seconds = 60\ndatabase_uri = sqlite:///{folder}/auth.db\n"
                "authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n"
            )
            self._options += ["--app-name", "basic-auth"]
            self._variables |= {
                "MLFLOW_FLASK_SERVER_SECRET_KEY": "a key",
                "MLFLOW_AUTH_CONFIG_PATH": str(folder / "auth.ini"),
            }

    def start(self) -> None:
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--workers", "1"]
        command += ["--port", str(self.port), *self._options]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,
                env=os.environ | self._variables,
            )
        for _ in range(1800):
            try:
                urllib.request.urlopen(f"{self.uri}/health", timeout=1).close()
                return
            except OSError:
                assert self.process.poll() is None, (self.folder / "server.log").read_text()
                time.sleep(0.1)
        raise AssertionError((self.folder / "server.log").read_text())

    def kill(self) -> None:
        """End it as a power cut would, with the worker that it started."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a migrated store without runs; copied, since migrating takes seconds."""
    folder = tmp_path_factory.mktemp("empty")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        connect("fashion-mnist")
    return folder


@pytest.fixture
def sqlite_store(empty_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder is one with a store in MLflow's default place."""
    shutil.copy(empty_store / "mlflow.db", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def server(
    empty_store: Path, make_server: Callable[..., Server], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    shutil.copy(empty_store / "mlflow.db", folder)
    running = make_server(folder)
    try:
        running.start()
        yield running
    finally:
        running.kill()


@pytest.fixture(scope="session")
def make_server(make_port: Callable[[], int]) -> Callable[..., Server]:
    """Makes an `mlflow server` that is not started yet."""
    return lambda folder, **options: Server(folder, make_port(), **options)


class Postgres:
    """A PostgreSQL server on loopback that can be stopped and started again on the same port and data."""

    PASSWORD = "a secret word"

    def __init__(self, programs: Path, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.uri = f"postgresql://lab:{quote(self.PASSWORD)}@127.0.0.1:{self.port}/postgres"
        self.process: subprocess.Popen[bytes] | None = None
        self._programs = programs
        # Its programs refuse to run as root.
        self._user: dict[str, Any] = {}
        if os.geteuid() == 0:
            self._user = {"user": "postgres", "group": "postgres", "extra_groups": []}
            shutil.chown(folder, "postgres", "postgres")
        (folder / "password").write_text(self.PASSWORD)
        (folder / "password").chmod(0o644)
        options = ["--username", "lab", "--pwfile", str(folder / "password"), "--auth", "scram-sha-256"]
        options += ["--encoding", "UTF8", "--locale", "C", "--no-sync"]
        subprocess.run(
            [programs / "initdb", "--pgdata", folder / "data", *options],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            check=True,
            **self._user,
        )

    def start(self) -> None:
        command = [self._programs / "postgres", "-D", self.folder / "data", "-p", str(self.port)]
        command += ["-h", "127.0.0.1", "-k", self.folder, "-c", "fsync=off"]
        log = self.folder / "log"
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                command, stdout=output, stderr=output, cwd=self.folder, start_new_session=True, **self._user
            )
        is_ready = [self._programs / "pg_isready", "--quiet", "--host", "127.0.0.1", "--port", str(self.port)]
        for _ in range(1800):
            if subprocess.run(is_ready, check=False).returncode == 0:
                return
            assert self.process.poll() is None, log.read_text()
            time.sleep(0.1)
        raise AssertionError(log.read_text())

    def stop(self) -> None:
        """End it in order, without waiting for its clients."""
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(timeout=120)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()


@pytest.fixture(scope="session")
def postgres(make_port: Callable[[], int]) -> Iterator[Postgres]:
    """A PostgreSQL server with an empty database; skips where it, or its driver, is not installed."""
    pytest.importorskip("psycopg", reason="needs `pip install 'psycopg[binary]'`")
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = str(installed[-1]) if installed else shutil.which("initdb")
    if found is None:
        pytest.skip("needs PostgreSQL: Debian's package postgresql")
    # Not pytest's folder, which is its user's alone, and too long for a socket's name.
    with tempfile.TemporaryDirectory(prefix="postgres-", ignore_cleanup_errors=True) as folder:
        running = Postgres(Path(found).parent, Path(folder), make_port())
        try:
            running.start()
            yield running
        finally:
            running.stop()


@pytest.fixture(params=["sqlite", "http"])
def store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """One kind of store, chosen as a user chooses it; returns its kind."""
    if request.param == "sqlite":
        request.getfixturevalue("sqlite_store")
    else:
        monkeypatch.chdir(tmp_path)
        running = request.getfixturevalue("server" if request.param == "http" else request.param)
        monkeypatch.setenv("MLFLOW_TRACKING_URI", running.uri)
    return str(request.param)


@pytest.fixture
def experiment(store: str, request: pytest.FixtureRequest) -> str:
    """An experiment of its own for each test, in either kind of store."""
    return f"{request.node.originalname} in {store}"


@pytest.fixture(scope="session")
def make_start() -> Callable[..., RunStart]:
    """Makes what is known of a run before it starts."""

    def make(condition: str = "dropout", seed: int = 0, **tags: str) -> RunStart:
        return RunStart(
            run_name=f"{condition}-{seed}",
            description="The published network.",
            condition=condition,
            seed=seed,
            spec={f"key.number{number}": str(number) for number in range(120)} | {"training.epochs": "3"},
            tags={f"dropout_lab.{name}": value for name, value in tags.items()},
            data=DataFingerprint(
                name="digits",
                folder="/data/fashion-mnist",
                checksums={"train-images-idx3-ubyte": "c59f"},
                num_train=1000,
                num_validation=500,
                num_test=500,
                digest="0123456789" * 3 + "abcdef",
            ),
            texts={"spec/resolved.yaml": "condition: dropout\n", "model_summary.txt": "äöü\n"},
        )

    return make


@pytest.fixture(scope="session")
def make_epochs() -> Callable[..., list[EpochMetrics]]:
    """Makes the figures of a number of epochs, each a minute after the one before."""

    def make(num_epochs: int, *, began_ms: int = 1_000_000) -> list[EpochMetrics]:
        return [
            EpochMetrics(
                epoch=epoch,
                loss=1 / epoch,
                accuracy=1 - 1 / (2 * epoch),
                val_loss=1 / (epoch + 1),
                val_accuracy=1 - 1 / (3 * epoch),
                epoch_seconds=60.0,
                end_time_ms=began_ms + 60_000 * epoch,
            )
            for epoch in range(1, num_epochs + 1)
        ]

    return make
