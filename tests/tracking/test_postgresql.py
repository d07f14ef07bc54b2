"""A PostgreSQL database that several processes share, directly and behind a server with a login."""

import os
import pickle
import subprocess
import sys

import pytest
from mlflow.artifacts import download_artifacts

from dropout_lab.errors import TrackingError, TrackingUnavailable
from dropout_lab.records import RunStatus
from dropout_lab.tracking import connect, read_runs, schema

pytestmark = pytest.mark.slow

NUM_PROCESSES = 8
LOG_AT_ONCE = """
import multiprocessing, pickle, sys
from pathlib import Path
from mlflow.entities import LoggedModelOutput, Metric
from dropout_lab.records import RunStatus
from dropout_lab.tracking import connect, store

def log(barrier, experiment, start, epochs, folder):
    barrier.wait()
    tracker = connect(experiment)
    tracker.open_study()
    run_id = tracker.start_run(start)
    for epoch in epochs:
        tracker.log_epochs(run_id, [epoch])
    tracker.log_result(run_id, {"test_accuracy": start.seed / 10}, step=3, timestamp_ms=9, folder=folder)
    model = tracker.client.create_logged_model(tracker.experiment_id, name="model", source_run_id=run_id)
    tracker.client.log_model_artifacts(model.model_id, str(folder))
    tracker.client.finalize_logged_model(model.model_id, "READY")
    tracker.client.log_outputs(run_id, [LoggedModelOutput(model.model_id, step=3)])
    tracker.end_run(run_id, RunStatus.FINISHED)

store.PROBE_SECONDS = 120  # however busy this machine is
experiment, starts, epochs, folder = pickle.load(sys.stdin.buffer)
context = multiprocessing.get_context("fork")  # of a process that has imported everything
barrier = context.Barrier(len(starts))
processes = [context.Process(target=log, args=(barrier, experiment, one, epochs, folder)) for one in starts]
for process in processes:
    process.start()
for process in processes:
    process.join()
sys.exit(sum(process.exitcode != 0 for process in processes))
"""


@pytest.fixture(scope="module")
def protected_server(postgres, make_server, tmp_path_factory):
    """An `mlflow server` with a login, which keeps runs in PostgreSQL and artifacts in its own folder."""
    pytest.importorskip("flask_wtf", reason="needs `pip install flask-wtf`")
    running = make_server(tmp_path_factory.mktemp("server"), store=postgres.uri, password=postgres.PASSWORD)
    try:
        running.start()
        yield running
    finally:
        running.kill()


@pytest.fixture(params=["directly", "through a server"])
def shared_store(request, postgres, monkeypatch, tmp_path):
    """Either way to the same database; returns the folder of the artifacts."""
    monkeypatch.chdir(tmp_path)
    if request.param == "directly":
        monkeypatch.setenv("MLFLOW_TRACKING_URI", postgres.uri)
        return tmp_path / "mlruns"
    server = request.getfixturevalue("protected_server")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.uri)
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "admin")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", postgres.PASSWORD)
    return server.folder / "artifacts"


def test_eight_processes_that_start_at_once_log_whole_runs(
    shared_store, request, make_start, make_epochs, tmp_path
):
    """The first of them also create the tables, the experiment, its study and its data."""
    experiment = request.node.name
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "file.bin").write_bytes(bytes(range(256)))
    starts = [make_start(seed=seed) for seed in range(NUM_PROCESSES)]
    done = subprocess.run(
        [sys.executable, "-c", LOG_AT_ONCE],
        input=pickle.dumps((experiment, starts, make_epochs(3), folder)),
        env=os.environ | {"MLFLOW_HTTP_REQUEST_TIMEOUT": "300"},
        capture_output=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()

    tracker = connect(experiment)
    tracker.summarize_study({}, {}, "The results.")
    runs = read_runs(experiment, statuses=[RunStatus.FINISHED], histories=["val_accuracy"])
    assert sorted(run.seed for run in runs) == list(range(NUM_PROCESSES))
    client = tracker.client
    studies = set()
    for run in runs:
        assert run.metrics["test_accuracy"] == run.seed / 10
        assert run.history["val_accuracy"] == tuple(epoch.val_accuracy for epoch in make_epochs(3))
        whole = client.get_run(run.run_id)
        assert starts[0].spec.items() <= whole.data.params.items()
        assert {one.dataset.name for one in whole.inputs.dataset_inputs} == {"digits_train", "digits_test"}
        (output,) = whole.outputs.model_outputs
        for name in ("run", "model"):
            (tmp_path / run.run_id / name).mkdir(parents=True)
        client.download_artifacts(run.run_id, "", str(tmp_path / run.run_id / "run"))
        model = f"models:/{output.model_id}"
        download_artifacts(artifact_uri=model, dst_path=str(tmp_path / run.run_id / "model"))
        files = [path.read_bytes() for path in (tmp_path / run.run_id).rglob("file.bin")]
        assert files == 2 * [bytes(range(256))]
        studies.add(whole.data.tags[schema.PARENT])
    assert len(studies) == 1
    assert len(list(shared_store.rglob("file.bin"))) >= 2 * NUM_PROCESSES


def test_a_wrong_address_is_refused_at_once(postgres, monkeypatch):
    right = postgres.uri
    for wrong in (
        right.replace("a%20secret", "another"),
        right.replace("lab:", "nobody:"),
        right.replace("/postgres", "/missing"),
    ):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", wrong)
        with pytest.raises(TrackingError, match="refuses access") as caught:
            read_runs()
        assert not isinstance(caught.value, TrackingUnavailable)
        assert "secret" not in str(caught.value)


def test_a_folder_with_a_long_path_is_refused_before_a_run_starts(postgres, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", postgres.uri)
    name = "an experiment with a long name " * 6
    monkeypatch.chdir(tmp_path)
    location = connect(name).client.get_experiment_by_name(name).artifact_location
    assert len(location) < len(str(tmp_path)) + 40
    folder = tmp_path / ("long" * 40)
    folder.mkdir()
    monkeypatch.chdir(folder)
    with pytest.raises(TrackingError, match="characters") as caught:
        connect("any")
    assert "MLflow server" in str(caught.value.hint)


def test_a_database_that_was_restarted_gets_what_is_missing(
    postgres, make_start, make_epochs, tmp_path, monkeypatch
):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", postgres.uri)
    monkeypatch.chdir(tmp_path)
    tracker = connect("outage")
    run_id = tracker.start_run(make_start())
    tracker.log_epochs(run_id, make_epochs(1))
    postgres.stop()
    try:
        with pytest.raises(TrackingUnavailable):
            tracker.log_epochs(run_id, make_epochs(3))
    finally:
        postgres.start()
    tracker.log_epochs(run_id, make_epochs(3))
    assert len(tracker.client.get_metric_history(run_id, "loss")) == 3
