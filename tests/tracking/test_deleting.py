"""Deletion for good: entries, files and names; nothing that is in training or in use."""

from pathlib import Path

import pytest

from dropout_lab.errors import DropoutLabError, UsageError
from dropout_lab.records import RunStatus
from dropout_lab.tracking import connect, read_runs
from dropout_lab.tracking.deleting import choose_doomed, delete_doomed
from dropout_lab.tracking.registry import promote


@pytest.fixture
def log(make_start, make_epochs, tmp_path):
    """Log a finished run with an artifact and a model."""
    files = tmp_path / "files"
    files.mkdir()
    (files / "file.txt").write_text("artifact")

    def log(experiment: str, seed: int) -> tuple[str, list[str]]:
        tracker = connect(experiment)
        run_id = tracker.start_run(make_start(seed=seed))
        tracker.log_epochs(run_id, make_epochs(2))
        tracker.log_result(run_id, {"test_accuracy": 0.5}, step=2, timestamp_ms=9, folder=files)
        model = tracker.client.create_logged_model(tracker.experiment_id, name="model", source_run_id=run_id)
        tracker.client.log_model_artifacts(model.model_id, str(files))
        tracker.client.finalize_logged_model(model.model_id, "READY")
        tracker.end_run(run_id, RunStatus.FINISHED)
        return run_id, [tracker.client.get_run(run_id).info.artifact_uri, model.artifact_location]

    return log


def all_files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("file.txt"))


STORES = ["sqlite", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("http", "postgres"))]


@pytest.mark.parametrize("store", STORES, indirect=True)
def test_runs_and_experiments_go_with_their_files_and_names(log, store, experiment, request, tmp_path):
    root = request.getfixturevalue("server").folder / "artifacts" if store == "http" else tmp_path / "mlruns"
    before = len(all_files(root)) if root.exists() else 0
    first, second = (log(experiment, seed)[0] for seed in (0, 1))
    log(f"other {experiment}", 0)
    assert len(all_files(root)) == before + 6
    doomed = choose_doomed([first])
    assert (len(doomed.runs), len(doomed.models), doomed.experiments) == (1, 1, {})
    assert doomed.is_permanent == (store != "http")
    delete_doomed(doomed, pytest.fail)
    assert [run.run_id for run in read_runs(experiment)] == [second]
    assert len(all_files(root)) == before + 4

    old_id = connect(experiment).experiment_id
    doomed = choose_doomed([experiment])
    assert (len(doomed.models), doomed.experiments) == (1, {old_id: experiment})
    delete_doomed(doomed, pytest.fail)
    assert len(all_files(root)) == before + 2
    with pytest.raises(UsageError, match="not found"):
        read_runs(experiment)
    tracker = connect(experiment)
    assert read_runs(experiment) == []
    assert tracker.client.get_experiment(tracker.experiment_id).name == experiment
    assert len(read_runs(f"other {experiment}")) == 1


@pytest.mark.slow
def test_an_experiment_that_was_deleted_in_mlflow_is_deleted_for_good(sqlite_store, log):
    log("gone", 0)
    tracker = connect("gone")
    tracker.client.delete_experiment(tracker.experiment_id)
    with pytest.raises(DropoutLabError, match="was deleted") as error:
        connect("gone")
    assert "dropout-lab delete gone" in str(error.value.hint)
    delete_doomed(choose_doomed(["gone"]), pytest.fail)
    assert all_files(sqlite_store / "mlruns") == []
    assert not (sqlite_store / "mlruns" / "gone").exists()
    assert read_runs("gone") == [] if connect("gone") else False


@pytest.mark.slow
def test_an_interrupted_deletion_is_repeated(sqlite_store, log, monkeypatch):
    log("study", 0)
    log("study", 1)
    for step in ("erase_model", "erase_run", "erase_experiment"):
        with monkeypatch.context() as patch:

            def interrupt(*_: object) -> None:
                raise KeyboardInterrupt

            patch.setattr(f"dropout_lab.tracking.deleting.Eraser.{step}", interrupt)
            with pytest.raises(KeyboardInterrupt):
                delete_doomed(choose_doomed(["study"]), pytest.fail)
    delete_doomed(choose_doomed(["study"]), pytest.fail)
    assert all_files(sqlite_store / "mlruns") == []


def test_what_is_in_training_or_in_use_stays(sqlite_store, log, make_start):
    run_id, _ = log("study", 0)
    running = connect("study").start_run(make_start(seed=7))
    for reference in ("study", running):
        with pytest.raises(DropoutLabError, match=r"dropout-7 \(.*\) is being trained"):
            choose_doomed([reference])
    promote(run_id, name="clothes", alias="champion")
    with pytest.raises(UsageError, match="in use as clothes@champion") as error:
        choose_doomed([run_id])
    assert "dropout-lab promote RUN --name clothes --alias champion" in str(error.value.hint)
    tracker = connect("study")
    tracker.client.delete_registered_model_alias("clothes", "champion")
    doomed = choose_doomed([run_id])
    assert len(doomed.versions) == 1
    delete_doomed(doomed, pytest.fail)
    assert tracker.client.search_model_versions("name = 'clothes'") == []
    for reference, words in (("Default", "MLflow needs it"), ("studi", "did you mean 'study'")):
        with pytest.raises(UsageError, match=words):
            choose_doomed([reference])
