"""Exported experiments keep everything, in any store; an import is repeatable and leaves no half run."""

import json
import math
import shutil
from pathlib import Path
from unittest.mock import Mock

import pytest
from mlflow.entities import LoggedModelOutput, Metric

from dropout_lab.errors import UsageError
from dropout_lab.records import RunStatus
from dropout_lab.tracking import connect, read_runs, schema
from dropout_lab.tracking.archive import read_archive
from dropout_lab.tracking.exporting import export_experiment
from dropout_lab.tracking.importing import import_experiment
from dropout_lab.tracking.listing import list_runs
from dropout_lab.tracking.store import open_client
from dropout_lab.tracking.studies import open_study


@pytest.fixture
def exported(sqlite_store, make_start, make_epochs, tmp_path):
    """An exported experiment: a parent with two runs, one of them with a model and odd metrics."""
    tracker = connect("to export")
    client = tracker.client
    parent = open_study(client, tracker.location, tracker.experiment_id, "study")
    client.set_tag(parent, "note", "parent")
    files = tmp_path / "files"
    (files / "deep").mkdir(parents=True)
    (files / "deep" / "file.bin").write_bytes(bytes(range(256)))
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "MLmodel").write_text("artifact_path: here\nflavors: {}\nrun_id: old\n")
    for seed in (0, 1):
        run_id = tracker.start_run(make_start(seed=seed, run_key=f"key {seed}"))
        tracker.log_epochs(run_id, make_epochs(3))
        tracker.log_result(
            run_id, {"test_accuracy": 0.9 + seed / 30}, step=3, timestamp_ms=5000, folder=files
        )
        client.set_tag(run_id, schema.PARENT, parent)
        tracker.end_run(run_id, RunStatus.FINISHED)
    odd = [Metric("odd", value, 7, step) for step, value in enumerate((math.nan, 1 / 3, 1e300))]
    client.log_batch(run_id, metrics=odd)
    model = client.create_logged_model(
        tracker.experiment_id, name="model", source_run_id=run_id, params={"a": "b"}
    )
    client.log_model_artifacts(model.model_id, str(tmp_path / "model"))
    client.finalize_logged_model(model.model_id, "READY")
    client.log_batch(
        run_id, metrics=[Metric("test_accuracy", 0.9 + 1 / 30, 5000, 3, model_id=model.model_id)]
    )
    client.log_outputs(run_id, [LoggedModelOutput(model.model_id, step=3)])
    tracker.start_run(make_start(seed=2))  # in training
    notes: list[str] = []
    export_experiment("to export", tmp_path / "exported", notes.append, "1")
    assert len(notes) == 1
    assert "dropout-2" in notes[0]
    assert "left out" in notes[0]
    return tmp_path / "exported"


def facts_of(run) -> list:
    metrics = {name: str(value) for name, value in run.metrics.items()}  # NaN is not equal to itself
    return [run.run_name, run.start_time, run.end_time, run.run_key, metrics, dict(run.spec)]


def content_of(folder: Path) -> dict[str, dict]:
    """What each run has, by its origin, with neither ids nor addresses of the store that it is in."""
    archive = read_archive(folder)
    found = {}
    origins = {run_id: archive.read_run(run_id)["origin"] for run_id in archive.run_ids}
    for run_id in archive.run_ids:
        content = archive.read_run(run_id)
        del content["run_id"]
        content["tags"][schema.PARENT] = origins.get(content["tags"].get(schema.PARENT))
        for model in content["models"]:
            del model["model_id"]
        files = [path for path in archive.run_folder(run_id).rglob("*") if path.is_file()]
        content["files"] = sorted(
            (path.name, path.read_bytes()) for path in files if path.name not in ("run.json", "MLmodel")
        )
        found[content["origin"]] = content
    return found


@pytest.mark.parametrize(
    "target", ["sqlite", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("server", "postgres"))]
)
def test_a_round_trip_keeps_everything_and_is_repeatable(
    exported, empty_store, target, tmp_path, request, monkeypatch
):
    before = [facts_of(run) for run in read_runs("to export") if run.metrics]
    other = tmp_path / "other"
    other.mkdir()
    monkeypatch.chdir(other)
    if target == "sqlite":
        shutil.copy(empty_store / "mlflow.db", other)
    else:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", request.getfixturevalue(target).uri)
    archive = read_archive(exported)
    done = import_experiment(archive, None, pytest.fail)
    assert (done.experiment, len(done.run_ids), done.skipped) == ("to export", 3, ())
    again = import_experiment(archive, None, pytest.fail)
    assert (dict(again.run_ids), sorted(again.skipped)) == ({}, sorted(archive.run_ids))

    assert [facts_of(run) for run in read_runs("to export")] == before
    export_experiment("to export", tmp_path / "again", pytest.fail, "1")
    assert content_of(tmp_path / "again") == content_of(exported)
    client, _ = open_client(create=False)
    with_model = [run_id for run_id in archive.run_ids if archive.read_run(run_id)["models"]]
    run = client.get_run(done.run_ids[with_model[0]])
    (output,) = run.outputs.model_outputs
    (description,) = (tmp_path / "again").rglob("MLmodel")
    assert run.info.run_id in description.read_text()
    assert output.model_id in description.read_text()

    copy = import_experiment(archive, "copy", pytest.fail)
    assert len(copy.run_ids) == 3
    assert [run.experiment_name for run in read_runs("copy")] == ["copy", "copy"]
    copied = client.get_run(copy.run_ids[with_model[0]]).data.tags
    assert copied[schema.EXPERIMENT] == "copy"
    assert copied[schema.PARENT] in copy.run_ids.values()


@pytest.mark.slow
def test_an_interrupted_import_is_completed_and_leaves_no_half_run(exported, tmp_path, monkeypatch):
    archive = read_archive(exported)
    client, _ = open_client(create=False)
    for step in ("create_logged_model", "log_batch", "log_artifact", "set_terminated"):
        with monkeypatch.context() as patch:
            patch.setattr(f"mlflow.MlflowClient.{step}", Mock(side_effect=KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                import_experiment(archive, "copy", pytest.fail)
        (half,) = (
            run
            for run in list_runs(client, client.get_experiment_by_name("copy").experiment_id)
            if schema.IMPORTING in run.data.tags
        )
        with pytest.raises(UsageError, match="Another process is importing"):
            import_experiment(archive, "copy", pytest.fail)
        client.set_tag(half.info.run_id, schema.PROCESS, "elsewhere:1:1.0")  # it died long ago
        client.set_tag(half.info.run_id, schema.HEARTBEAT, "0")
        client.set_tag(half.info.run_id, schema.LOCK, "")
    import_experiment(archive, "copy", pytest.fail)
    export_experiment("copy", tmp_path / "again", pytest.fail, "1")
    expected = content_of(exported)
    for content in expected.values():
        if schema.EXPERIMENT in content["tags"]:
            content["tags"][schema.EXPERIMENT] = "copy"
    assert content_of(tmp_path / "again") == expected


@pytest.mark.slow
def test_runs_that_exist_are_skipped(exported, make_start):
    archive = read_archive(exported)
    assert len(import_experiment(archive, None, pytest.fail).skipped) == 3  # where it was exported
    tracker = connect("trained here too")
    study = open_study(tracker.client, tracker.location, tracker.experiment_id, "own study")
    run_id = tracker.start_run(make_start(seed=1, run_key="key 1"))
    tracker.end_run(run_id, RunStatus.FINISHED)
    done = import_experiment(archive, "trained here too", pytest.fail)
    assert [archive.read_run(one)["name"] for one in done.skipped] == ["study", "dropout-1"]
    (imported,) = done.run_ids.values()
    assert tracker.client.get_run(imported).data.tags[schema.PARENT] == study


def test_what_an_export_or_a_copy_left_out_is_no_obstacle(sqlite_store, tmp_path):
    tracker = connect("to export")
    client = tracker.client
    run = client.create_run(tracker.experiment_id, tags={schema.PARENT: "deleted"})
    client.set_terminated(run.info.run_id)
    export_experiment("to export", tmp_path / "exported", pytest.fail, "1")
    (empty,) = (tmp_path / "exported").rglob("artifacts")
    empty.rmdir()
    done = import_experiment(read_archive(tmp_path / "exported"), "copy", pytest.fail)
    (run_id,) = done.run_ids.values()
    assert schema.PARENT not in client.get_run(run_id).data.tags


def test_only_listed_files_are_imported_and_others_are_told(exported, tmp_path):
    archive = read_archive(exported)
    first = archive.run_folder(archive.run_ids[1])
    with_model = next(one for one in exported.glob("runs/*/models/*"))
    for folder in (exported, first / "artifacts", first / "artifacts" / "deep", with_model):
        (folder / "added.txt").write_text("not exported")
        (folder / ".DS_Store").write_text("not exported")
    notes: list[str] = []
    done = import_experiment(read_archive(exported), "listed alone", notes.append)
    (note,) = notes
    assert note.startswith(f"4 files in {exported} were not exported")
    client = connect("listed alone").client
    for run_id in done.run_ids.values():
        assert not {path for path in paths_of(client, run_id) if "added" in path or ".DS_Store" in path}
    assert {"deep/file.bin"} <= paths_of(client, done.run_ids[archive.run_ids[1]])
    (model,) = client.search_logged_models([connect("listed alone").experiment_id])
    of_model = {file.path for file in client.list_logged_model_artifacts(model.model_id)}
    assert "MLmodel" in of_model
    assert not of_model & {"added.txt", ".DS_Store"}


def paths_of(client, run_id, folder=None):
    """Return the paths of all files of a run."""
    found = client.list_artifacts(run_id, folder)
    inner = [paths_of(client, run_id, one.path) for one in found if one.is_dir]
    return {one.path for one in found if not one.is_dir}.union(*inner)


def test_files_of_others_beside_an_export_stay(exported, tmp_path):
    (tmp_path / "new.part").mkdir()
    (tmp_path / "new.part" / "mine.txt").write_text("mine")
    export_experiment("to export", tmp_path / "new", [].append, "1")
    assert (tmp_path / "new.part" / "mine.txt").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.glob("new*")) == ["new", "new.part"]


def test_a_folder_that_is_damaged_or_none_is_refused(exported, tmp_path):
    file = next(exported.rglob("file.bin"))
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + b"x")
    with pytest.raises(UsageError, match=r"file.bin: damaged \(SHA-256"):
        read_archive(exported)
    file.unlink()
    with pytest.raises(UsageError, match=r"file.bin: cannot be read"):
        read_archive(exported)
    file.write_bytes(whole)
    manifest = exported / "manifest.json"
    content = json.loads(manifest.read_text())
    for change, words in (
        ({"version": 2}, "version 2 of the format"),
        ({"format": "something"}, "damaged, or not of an exported experiment"),
        ({"runs": ["../../outside"]}, "damaged"),
        ({"files": content["files"] | {"../outside": "0"}}, "damaged"),
        ({"experiment": None}, "damaged"),
    ):
        manifest.write_text(json.dumps(content | change))
        with pytest.raises(UsageError, match=words):
            read_archive(exported)
    manifest.write_text("{")
    with pytest.raises(UsageError, match="damaged"):
        read_archive(exported)
    with pytest.raises(UsageError, match="no such folder"):
        read_archive(tmp_path / "nowhere")
    with pytest.raises(UsageError, match=r"no file manifest.json"):
        read_archive(tmp_path)


@pytest.mark.slow
def test_an_export_is_whole_or_not_there(exported, tmp_path, monkeypatch):
    with pytest.raises(UsageError, match="exists already"):
        export_experiment("to export", exported, pytest.fail, "1")
    with pytest.raises(UsageError, match="does not exist"):
        export_experiment("to export", tmp_path / "no" / "where", pytest.fail, "1")
    with pytest.raises(UsageError, match="not found"):
        export_experiment("nosuch", tmp_path / "new", pytest.fail, "1")
    monkeypatch.setattr("mlflow.MlflowClient.get_metric_history", Mock(side_effect=KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        export_experiment("to export", tmp_path / "new", [].append, "1")
    assert not list(tmp_path.glob("new*"))
