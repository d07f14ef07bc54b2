"""A real MLflow store with runs that were logged, not trained, for the commands that read."""

import json
from pathlib import Path

import psutil
import pytest

from dropout_lab.records import DataFingerprint, EpochMetrics, RunStart, RunStatus
from dropout_lab.tracking import Tracker, connect, schema

SITES = ("conv1", "conv2", "dense")
HOSTILE = "[red]evil\x1b[31m[/red]"
"""A run's name with markup of ours and a control sequence of the terminal's."""


def log_run(tracker: Tracker, name: str, rate: float, *, seed: int = 0, num_epochs: int = 3) -> str:
    """Log a finished run; its figures follow from `rate` and `seed`."""
    start = RunStart(
        run_name=name,
        description="The published network.",
        condition="dropout" if rate else "baseline",
        seed=seed,
        spec={f"model.dropout.{site}": str(rate) for site in SITES}
        | {"data.folder": "", "training.epochs": str(num_epochs)},
        tags={
            "dropout_lab.class_names": '["T-shirt/top", "Trouser"]',
            "dropout_lab.device": "/CPU:0",
            "dropout_lab.final_weights": name,
            "versions.keras": "3.15.1",
        },
        data=DataFingerprint(
            folder="/data", checksums={}, num_train=10, num_validation=5, num_test=5, digest="0" * 36
        ),
        texts={},
    )
    epochs = [
        EpochMetrics(
            epoch=epoch,
            loss=1 / epoch,
            accuracy=1 - 1 / (2 * epoch),
            val_loss=0.5,
            val_accuracy=0.8,
            epoch_seconds=2.0,
            end_time_ms=1000 * epoch,
        )
        for epoch in range(1, num_epochs + 1)
    ]
    run_id = tracker.start_run(start)
    tracker.log_epochs(run_id, epochs)
    metrics = {
        "test_accuracy": 0.9 + rate / 10 + seed / 1000,
        "test_loss": 0.25,
        "test_accuracy_class_0": 0.75,
        "system/cpu_utilization_percentage": 50.0 + rate,
    }
    folder = Path("artifacts")
    folder.mkdir(exist_ok=True)
    tracker.log_result(run_id, metrics, step=num_epochs, timestamp_ms=1000 * num_epochs, folder=folder)
    tracker.end_run(run_id, RunStatus.FINISHED)
    return run_id


@pytest.fixture(scope="session")
def logged_runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A folder with a store, and the ids of its runs by name; tests only read it."""
    folder = tmp_path_factory.mktemp("logged")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        tracker = connect("study")
        ids = {
            name: log_run(tracker, name, rate)
            for name, rate in (("baseline-seed0", 0.0), ("dropout-seed0", 0.5), (HOSTILE, 0.5))
        }
        model = tracker.client.create_logged_model(
            tracker.experiment_id, name="model", source_run_id=ids["dropout-seed0"]
        )
        tracker.client.finalize_logged_model(model.model_id, "READY")
    return folder, ids


@pytest.fixture
def interrupted_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The id of a run that MLflow shows as RUNNING and whose process is gone; another one is finished."""
    monkeypatch.chdir(tmp_path)
    tracker = connect("study")
    log_run(tracker, "baseline-seed0", 0.0)
    run_id = log_run(tracker, "dropout-seed0", 0.5)
    tracker.client.update_run(run_id, status="RUNNING")
    ended = psutil.Popen(["true"])
    ended.wait()
    machine, _, _ = tracker.client.get_run(run_id).data.tags[schema.PROCESS].rsplit(":", 2)
    tracker.set_tags(run_id, {schema.PROCESS: f"{machine}:{ended.pid}:1.0"})
    return run_id


@pytest.fixture
def repeated_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of an evaluated run and of a later one of the same condition and seed."""
    monkeypatch.chdir(tmp_path)
    tracker = connect("study")
    done = {"confidence": {}, "monte_carlo": {"mc_samples": 50}, "temperature": {}}
    ids = []
    for accuracy in (0.1, 0.9):
        run_id = log_run(tracker, "baseline-seed0", 0.0)
        for metric, value in {"accuracy": accuracy, "loss": 0.5, "ece": 0.1}.items():
            tracker.client.log_metric(run_id, f"test_{metric}", value, step=9)
        tracker.set_tags(run_id, {schema.EVALUATED: json.dumps(done)})
        ids.append(run_id)
    return ids
