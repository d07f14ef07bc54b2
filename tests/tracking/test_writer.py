"""What is written to a real store, SQLite and server, and that writing it again changes nothing."""

import errno
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from dropout_lab.errors import TrackingError
from dropout_lab.evaluation.registry import DROPOUT_RATE
from dropout_lab.records import RunStatus
from dropout_lab.tracking import Tracker, connect, find_run, read_runs, system_metrics, writer
from dropout_lab.tracking.starting import create_run


def steps(tracker: Tracker, run_id: str, metric: str) -> list[tuple[int, float]]:
    return [(found.step, found.value) for found in tracker.client.get_metric_history(run_id, metric)]


def artifact_text(tracker: Tracker, run_id: str, path: str, folder: Path) -> str:
    return Path(tracker.client.download_artifacts(run_id, path, str(folder))).read_text(encoding="utf-8")


def test_start_logs_all_that_is_known(experiment, make_start, tmp_path):
    tracker = connect(experiment)
    start = make_start(seed=7, spec_fingerprint="f00d")
    run_id = tracker.start_run(start)
    run = tracker.client.get_run(run_id)

    assert run.info.status == "RUNNING"
    assert run.info.run_name == "dropout-7"
    assert run.data.params == {"dropout_lab.condition": "dropout", "dropout_lab.seed": "7", **start.spec}
    assert run.data.tags["dropout_lab.condition"] == "dropout"
    assert run.data.tags["dropout_lab.seed"] == "7"
    assert run.data.tags["dropout_lab.spec_fingerprint"] == "f00d"
    assert run.data.tags["mlflow.note.content"] == "The published network."
    inputs = {one.tags[0].value: one.dataset for one in run.inputs.dataset_inputs}
    assert inputs["training"].digest == inputs["testing"].digest == start.data.digest
    assert (inputs["training"].name, inputs["testing"].name) == ("digits_train", "digits_test")
    assert json.loads(inputs["training"].profile)["num_rows"] == 1000
    assert json.loads(inputs["testing"].profile)["num_rows"] == 500
    assert artifact_text(tracker, run_id, "model_summary.txt", tmp_path) == "äöü\n"
    assert artifact_text(tracker, run_id, "spec/resolved.yaml", tmp_path) == "condition: dropout\n"


def test_start_with_a_known_id_completes_the_run_that_a_killed_process_left(experiment, make_start):
    tracker = connect(experiment)
    start = make_start()
    left = create_run(tracker.client, tracker.experiment_id, start, "start-1", {})
    assert tracker.start_run(start, start_id="start-1") == left
    assert tracker.client.get_run(left).data.params.items() >= start.spec.items()
    assert tracker.start_run(start, start_id="start-1") == left
    assert len(tracker.client.get_run(left).inputs.dataset_inputs) == 2
    assert tracker.start_run(start, start_id="start-2") != left


def test_epochs_are_logged_once_however_often_they_are_sent(experiment, make_start, make_epochs):
    tracker = connect(experiment)
    run_id = tracker.start_run(make_start())
    epochs = make_epochs(5)
    tracker.log_epochs(run_id, epochs[:2])
    tracker.log_epochs(run_id, epochs[:3])
    # A process that does not know what was logged, and has measured other times.
    connect(experiment).log_epochs(run_id, make_epochs(5, began_ms=9_000_000))
    tracker.log_epochs(run_id, epochs)

    for name in writer.EPOCH_METRICS:
        assert steps(tracker, run_id, name) == [(epoch.epoch, getattr(epoch, name)) for epoch in epochs]
    history = tracker.client.get_metric_history(run_id, "val_loss")
    assert [found.timestamp for found in history[:3]] == [epoch.end_time_ms for epoch in epochs[:3]]


@pytest.mark.usefixtures("sqlite_store")
def test_rates_that_change_are_logged_and_read_by_epoch(make_start, make_epochs):
    tracker = connect("fashion-mnist")
    run_id = tracker.start_run(make_start())
    epochs = [
        replace(epoch, rates={"conv1": 0.5 / epoch.epoch, "lstm.dropout": 0.1}) for epoch in make_epochs(3)
    ]
    tracker.log_epochs(run_id, epochs[:2])
    tracker.log_epochs(run_id, epochs)
    assert steps(tracker, run_id, "dropout_rate_conv1") == [(1, 0.5), (2, 0.25), (3, 0.5 / 3)]
    found = find_run(run_id, families=(DROPOUT_RATE,))
    assert found.history == {
        "dropout_rate_conv1": (0.5, 0.25, 0.5 / 3),
        "dropout_rate_lstm.dropout": (0.1, 0.1, 0.1),
    }


@pytest.mark.usefixtures("sqlite_store")
def test_a_long_run_is_logged_in_parts(make_start, make_epochs):
    tracker = connect("fashion-mnist")
    run_id = tracker.start_run(make_start())
    epochs = make_epochs(450)  # 2,250 values, where MLflow takes 1,000 a call
    tracker.log_epochs(run_id, epochs)
    assert steps(tracker, run_id, "loss") == [(epoch.epoch, epoch.loss) for epoch in epochs]


def test_result_is_logged_once_with_its_files(experiment, make_start, tmp_path):
    tracker = connect(experiment)
    run_id = tracker.start_run(make_start())
    folder = tmp_path / "result"
    (folder / "plots").mkdir(parents=True)
    (folder / "evaluation.json").write_text("{}")
    (folder / "plots" / "curves.png").write_bytes(b"\x89PNG")
    figures = {"test_accuracy": 0.9, "test_loss": float("nan")}
    for timestamp_ms in (5000, 5000, 6000):
        tracker.log_result(run_id, figures, step=3, timestamp_ms=timestamp_ms, folder=folder)
    assert steps(tracker, run_id, "test_accuracy") == [(3, 0.9)]
    assert len(steps(tracker, run_id, "test_loss")) == 1
    assert [file.path for file in tracker.client.list_artifacts(run_id, "plots")] == ["plots/curves.png"]
    assert artifact_text(tracker, run_id, "evaluation.json", tmp_path) == "{}"


def test_states_of_a_run(experiment, make_start):
    tracker = connect(experiment)
    run_id = tracker.start_run(make_start(run_key="k1"))
    assert tracker.find_finished("k1") is None
    for status in (RunStatus.KILLED, RunStatus.FAILED, RunStatus.FINISHED):
        tracker.end_run(run_id, status)
        tracker.end_run(run_id, status)
        assert read_runs(experiment)[0].status is status
    finished = tracker.find_finished("k1")
    assert finished is not None
    assert finished.run_id == run_id
    assert tracker.find_finished("k2") is None
    tracker.resume_run(run_id)
    assert read_runs(experiment)[0].status is RunStatus.RUNNING


def test_system_metrics_go_on_where_an_earlier_process_stopped(experiment, make_start, monkeypatch):
    monkeypatch.setattr(system_metrics, "SAMPLE_SECONDS", 0.05)
    tracker = connect(experiment)
    run_id = tracker.start_run(make_start())
    for _ in range(2):
        with tracker.system_metrics(run_id):
            time.sleep(0.12)
    history = steps(tracker, run_id, "system/system_memory_usage_percentage")
    assert len(history) >= 4
    assert [step for step, _ in history] == list(range(len(history)))
    assert all(0 < value <= 100 for _, value in history)


def _raises(*_, **__):
    raise OSError(errno.ENOENT, "no such counter")


@pytest.mark.usefixtures("sqlite_store")
@pytest.mark.parametrize(
    ("counter", "broken", "lost"),
    [
        ("net_io_counters", lambda *_: None, "network_receive_megabytes"),
        ("net_io_counters", _raises, "network_receive_megabytes"),
        ("disk_usage", _raises, "disk_usage_percentage"),
        ("virtual_memory", _raises, "system_memory_usage_percentage"),
    ],
)
def test_a_counter_that_the_machine_lacks_costs_only_its_metrics(
    make_start, monkeypatch, counter, broken, lost
):
    monkeypatch.setattr(system_metrics, "SAMPLE_SECONDS", 0.05)
    monkeypatch.setattr(psutil, counter, broken)
    tracker = connect("counters")
    run_id = tracker.start_run(make_start())
    with tracker.system_metrics(run_id):
        time.sleep(0.12)
    names = {
        "network_receive_megabytes",
        "disk_usage_percentage",
        "cpu_utilization_percentage",
        "system_memory_usage_percentage",
    }
    logged = {name for name in names if steps(tracker, run_id, f"system/{name}")}
    assert lost not in logged
    assert len(logged) >= 2


def test_secrets_in_tags_params_and_sources_are_masked(experiment, make_start):
    tracker = connect(experiment)
    address = "https://user:pa/s3cret@host/x?token=s3cret"
    start = make_start(remote=address)
    start = replace(
        start,
        description=f"from {address}",
        spec={**start.spec, "data.folder": address},
        data=replace(start.data, folder=address),
    )
    run_id = tracker.start_run(start)
    tracker.set_tags(run_id, {"mlflow.source.git.repoURL": address})
    run = tracker.client.get_run(run_id)
    assert "s3cret" not in str((run.data.tags, run.data.params, run.inputs.to_dictionary()))
    assert run.data.tags["dropout_lab.remote"] == "https://***@host/x?token=***"


def test_tags_that_become_known_later(experiment, make_start):
    tracker = connect(experiment)
    run_id = tracker.start_run(make_start())
    tracker.set_tags(run_id, {"dropout_lab.final_weights": "beef"})
    assert read_runs(experiment)[0].final_weights == "beef"


def test_artifacts_lie_under_mlruns_whatever_the_experiment_is_called(sqlite_store, make_start):
    for name in ("plain", "../../escape", "a b#c?d%20e", "ü" * 100, "0"):
        tracker = connect(name)
        run_id = tracker.start_run(make_start())
        root = Path(tracker.client.get_run(run_id).info.artifact_uri.removeprefix("file://"))
        assert root.is_relative_to(sqlite_store / "mlruns")
        assert (root / "model_summary.txt").exists()
    assert connect("plain").client.get_experiment_by_name("Default").experiment_id == "0"
    connect("plain")  # a folder named 0 is not taken for MLflow's old file format


@pytest.mark.usefixtures("sqlite_store")
def test_a_deleted_experiment_is_named_with_the_way_to_restore_it():
    tracker = connect("gone")
    tracker.client.delete_experiment(tracker.experiment_id)
    with pytest.raises(TrackingError, match=f"deleted.*\n.*restore --experiment-id {tracker.experiment_id}"):
        connect("gone")


def test_runs_that_start_at_the_same_moment_share_their_datasets(experiment, make_start):
    """MLflow looks for a dataset, then inserts it: all but one writer meet a row that exists."""
    num_writers, rounds = 4, 6
    trackers = [connect(experiment) for _ in range(num_writers)]
    together = threading.Barrier(num_writers)

    def start_runs(number: int) -> list[str]:
        started = []
        for one in range(rounds):
            start = make_start(seed=number)
            data = replace(start.data, digest=f"{one:036x}")
            together.wait(timeout=60)
            started.append(trackers[number].start_run(replace(start, data=data)))
        return started

    with ThreadPoolExecutor(num_writers) as pool:
        runs = [run_id for started in pool.map(start_runs, range(num_writers)) for run_id in started]
    found = [trackers[0].client.get_run(run_id).inputs.dataset_inputs for run_id in runs]
    assert len(set(runs)) == num_writers * rounds
    assert all(len(inputs) == 2 for inputs in found)
    assert len({one.dataset.digest for inputs in found for one in inputs}) == rounds
