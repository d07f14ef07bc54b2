"""Real stores for the tracking tests: SQLite files, and an `mlflow server` on loopback."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dropout_lab.records import DataFingerprint, EpochMetrics, RunStart
from dropout_lab.tracking import connect


class Server:
    """An `mlflow server` that can be killed and started again on the same port and data."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.uri = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--workers", "1"]
        command += ["--port", str(self.port), "--artifacts-destination", str(self.folder / "artifacts")]
        command += ["--backend-store-uri", f"sqlite:///{self.folder}/mlflow.db"]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,
                env=os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
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
def server(empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    shutil.copy(empty_store / "mlflow.db", folder)
    running = Server(folder)
    running.start()
    yield running
    running.kill()


@pytest.fixture(params=["sqlite", "http"])
def store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """Either kind of store, chosen as a user chooses it; returns its kind."""
    if request.param == "sqlite":
        request.getfixturevalue("sqlite_store")
    else:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("MLFLOW_TRACKING_URI", request.getfixturevalue("server").uri)
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
