"""A folder of its own with a migrated store, specs that train in seconds, and the command line."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dropout_lab.runs.outcome import Failure, RunOutcome
from dropout_lab.runs.planning import PlannedRun
from dropout_lab.runs.stopping import StopRequest
from dropout_lab.tracking import connect
from dropout_lab.training.progress import Progress

SPEC = """\
name: tiny
experiment: tiny
training: {epochs: 3, batch_size: 50}
data: {num_train: 250, num_test: 100}
model: {filters: [4, 8], hidden_units: 16}
conditions:
  baseline: {model: {dropout: 0}}
  dropout: {model: {dropout: {conv1: 0.2, conv2: 0.2, dense: 0.5}}}
"""


class Listener:
    """A reporter that notes everything, and requests a stop after some calls if told to."""

    def __init__(self, stop_after: int = 0) -> None:
        self.stop = StopRequest()
        self.notes: list[str] = []
        self.phases: list[str] = []
        self.ends: list[RunOutcome | Failure] = []
        self.num_calls = 0
        self._stop_after = stop_after

    def started(self, run: PlannedRun, run_id: str, trained_by: str, progress: Progress) -> None:
        pass

    def progressed(self, run: PlannedRun, progress: Progress, num_steps: int) -> None:
        self.num_calls += 1
        if self.num_calls == self._stop_after:
            self.stop.signal_number = 2

    def entered(self, run: PlannedRun, phase: str) -> None:
        self.phases.append(phase)

    def noted(self, message: str) -> None:
        self.notes.append(message)

    def finished(self, outcome: RunOutcome) -> None:
        self.ends.append(outcome)

    def failed(self, failure: Failure) -> None:
        self.ends.append(failure)


@pytest.fixture
def make_listener() -> type[Listener]:
    """Makes reporters that note everything."""
    return Listener


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated store without runs; copied, since migrating takes seconds."""
    folder = tmp_path_factory.mktemp("empty")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        connect("tiny")
    # The experiment has its artifacts below the folder that it was made in.
    (folder / "mlflow.db").rename(folder / "copy.db")
    return folder / "copy.db"


@pytest.fixture
def lab(empty_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: it has a spec and an empty store."""
    shutil.copy(empty_store, tmp_path / "mlflow.db")
    (tmp_path / "tiny.yaml").write_text(SPEC.replace("experiment: tiny", "experiment: tiny in lab"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def command() -> Callable[..., subprocess.Popen[str]]:
    """Start the command line in a process of its own."""

    def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "dropout_lab", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )

    return start


@pytest.fixture
def ray_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """This host for one test with a Ray cluster: those of tests in other processes disturb each other."""
    pytest.importorskip("ray")
    from filelock import FileLock  # Ray requires it

    with FileLock(tmp_path_factory.getbasetemp().parent / "ray.lock"):
        yield
