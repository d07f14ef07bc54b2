"""Runs read back from real stores as they were written."""

import io
import re
from datetime import UTC, datetime

import numpy as np
import psutil
import pytest
from mlflow import MlflowClient

from dropout_lab.errors import TrackingError, UsageError
from dropout_lab.records import Design, RunStatus
from dropout_lab.tracking import connect, find_run, histories, list_experiments, load_test_probs, read_runs
from dropout_lab.tracking.starting import create_run

TAGS = {
    "spec_fingerprint": "f1",
    "initial_weights": "f2",
    "batch_order": "f3",
    "final_weights": "f4",
    "data_digest": "f5",
    "device": "/CPU:0",
    "device_name": "A processor",
    "engine": "stock",
    "git_dirty": "True",
}


def test_a_run_comes_back_as_it_was_written(experiment, make_start, make_epochs, tmp_path):
    before = datetime.now(UTC).replace(microsecond=0)
    tracker = connect(experiment)
    start = make_start("dropout", 3, **TAGS)
    run_id = tracker.start_run(start)
    tracker.set_tags(run_id, {"mlflow.source.git.commit": "abc", "versions.keras": "3.15.1"})
    epochs = make_epochs(3)
    tracker.log_epochs(run_id, epochs)
    (tmp_path / "result").mkdir()
    tracker.log_result(run_id, {"test_accuracy": 0.9}, step=3, timestamp_ms=1, folder=tmp_path / "result")
    tracker.end_run(run_id, RunStatus.FINISHED)

    (run,) = read_runs(experiment, statuses=[RunStatus.FINISHED], histories=["val_loss", "loss", "not_there"])
    assert (run.run_id, run.run_name, run.experiment_name) == (run_id, "dropout-3", experiment)
    assert run.experiment_id == tracker.experiment_id
    assert (run.condition, run.seed, run.status) == ("dropout", 3, RunStatus.FINISHED)
    assert run.end_time is not None
    assert run.end_time >= run.start_time
    assert before <= run.start_time <= datetime.now(UTC)
    expected = {name: value for name, value in TAGS.items() if name != "git_dirty"}
    assert {name: getattr(run, name) for name in expected} == expected
    assert (run.git_commit, run.git_dirty, run.versions["keras"]) == ("abc", True, "3.15.1")
    assert run.spec == start.spec
    assert run.metrics["test_accuracy"] == 0.9
    assert run.metrics["loss"] == epochs[-1].loss
    assert run.history == {
        "val_loss": tuple(epoch.val_loss for epoch in epochs),
        "loss": tuple(epoch.loss for epoch in epochs),
    }
    assert run.description == "The published network."
    assert find_run(run_id, histories=["val_loss", "loss"]) == run


def test_the_design_and_the_last_request_are_read_back(experiment, make_start):
    tracker = connect(experiment)
    design = Design(first=5, most=30, primary="test_loss")
    tracker.start_run(make_start(seed=0, design=design.to_json(), requested="1700000000000"))
    tracker.start_run(make_start(seed=1, design="edited by hand"))
    tracker.start_run(make_start(seed=2))
    found = read_runs(experiment)
    assert [run.design for run in found] == [design, None, None]
    assert found[0].requested == datetime.fromtimestamp(1_700_000_000, UTC)
    assert found[2].requested is None


def test_runs_of_others_and_of_other_experiments_are_left_out(experiment, make_start):
    tracker = connect(experiment)
    ours = [tracker.start_run(make_start(seed=seed)) for seed in range(3)]
    tracker.client.create_run(tracker.experiment_id)  # such as an own script's
    connect(experiment + " too").start_run(make_start())
    assert [run.run_id for run in read_runs(experiment)] == ours


def test_states_can_be_chosen(experiment, make_start):
    tracker = connect(experiment)
    states = (RunStatus.FINISHED, RunStatus.FAILED, RunStatus.KILLED)
    for seed, status in enumerate(states):
        tracker.end_run(tracker.start_run(make_start(seed=seed)), status)
    tracker.start_run(make_start(seed=3))
    assert [run.status for run in read_runs(experiment)] == [*states, RunStatus.RUNNING]
    assert [run.seed for run in read_runs(experiment, statuses=[RunStatus.FINISHED])] == [0]
    assert [run.seed for run in read_runs(experiment, statuses=[RunStatus.KILLED, RunStatus.RUNNING])] == [
        2,
        3,
    ]


def test_many_runs_come_in_pages(experiment, make_start, monkeypatch, make_epochs):
    monkeypatch.setattr("dropout_lab.tracking.reader._PAGE", 3)
    for limit in ("VALUES_PER_REQUEST", "_VALUES_PER_QUERY"):
        monkeypatch.setattr(histories, limit, 7)  # two runs of three epochs
    tracker = connect(experiment)
    lengths = [3, 3, 3, 3, 3, 3, 9]  # of which the last is more than its spec says
    for seed, num_epochs in enumerate(lengths):
        tracker.log_epochs(tracker.start_run(make_start(seed=seed)), make_epochs(num_epochs))
    runs = read_runs(experiment, histories=["loss"])
    assert [run.seed for run in runs] == list(range(7))
    for run, num_epochs in zip(runs, lengths, strict=True):
        assert run.history["loss"] == tuple(epoch.loss for epoch in make_epochs(num_epochs))


@pytest.mark.usefixtures("sqlite_store")
def test_no_other_experiments_runs_are_asked_for(make_start, make_epochs, monkeypatch):
    for name in ("other", "chosen"):
        tracker = connect(name)
        tracker.log_epochs(tracker.start_run(make_start()), make_epochs(3))
    asked: list[tuple[list[str], int]] = []
    search_runs = MlflowClient.search_runs

    def noted(self, experiment_ids, filter_string="", **kwargs):
        asked.append((experiment_ids, kwargs["max_results"]))
        return search_runs(self, experiment_ids, filter_string, **kwargs)

    monkeypatch.setattr(MlflowClient, "search_runs", noted)
    (run,) = read_runs("chosen", histories=["loss"])
    assert [experiment_ids for experiment_ids, _ in asked] == [[run.experiment_id]]
    asked.clear()
    assert read_runs(histories=["loss"]) == [run]
    # The latest run alone is asked for over all experiments, to know which of them is meant.
    assert [one for one in asked if one[0] != [run.experiment_id]] == [(asked[0][0], 1)]


@pytest.mark.usefixtures("sqlite_store")
def test_current_experiment_is_the_one_set_or_of_the_latest_run(make_start, monkeypatch):
    with pytest.raises(TrackingError, match="no runs yet"):
        read_runs()
    for name in ("first", "second"):
        connect(name).start_run(make_start())
    connect("empty")
    assert read_runs()[0].experiment_name == "second"
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "first")
    assert read_runs()[0].experiment_name == "first"
    assert read_runs("second")[0].experiment_name == "second"
    assert {"first", "second", "empty"} <= {one.name for one in list_experiments()}


@pytest.mark.usefixtures("sqlite_store")
@pytest.mark.parametrize("name, trained", [("condition", "dropout"), ("seed", "3")])
@pytest.mark.parametrize("changed", ["x", None])
def test_a_condition_or_seed_that_somebody_changed_is_told_and_not_believed(
    make_start, caplog, name, trained, changed
):
    tracker = connect("fashion-mnist")
    run_id = tracker.start_run(make_start("dropout", 3))
    if changed is None:
        tracker.client.delete_tag(run_id, f"dropout_lab.{name}")
    else:
        tracker.set_tags(run_id, {f"dropout_lab.{name}": changed})
    for run in (*read_runs(), *read_runs("fashion-mnist"), find_run(run_id), find_run("dropout-3")):
        assert (run.condition, run.seed) == ("dropout", 3)
    (told,) = [text for text in caplog.messages if run_id in text]
    assert f"dropout_lab.{name} was changed to {(changed or '')!r}" in told
    assert f"with {name} {trained!r}" in told


@pytest.mark.usefixtures("sqlite_store")
def test_a_run_whose_condition_nobody_knows_is_told_and_stops_no_other(make_start, caplog):
    tracker = connect("fashion-mnist")
    kept = tracker.start_run(make_start("baseline"))
    # Without params, as earlier versions logged it.
    lost = create_run(tracker.client, tracker.experiment_id, make_start("dropout"), "start", {})
    tracker.client.delete_tag(lost, "dropout_lab.condition")
    assert [run.run_id for run in read_runs()] == [kept]
    assert any(lost in text and "left out" in text for text in caplog.messages)


@pytest.mark.usefixtures("sqlite_store")
def test_unknown_experiment_names_the_nearest():
    with pytest.raises(UsageError, match=r"'fashoin-mnist' not found.*did you mean 'fashion-mnist'"):
        read_runs("fashoin-mnist")


def test_a_run_is_found_by_id_beginning_and_name(experiment, make_start):
    tracker = connect(experiment)
    unique = f"{experiment}: it's"
    run_ids = [tracker.start_run(make_start()) for _ in range(3)]
    tracker.client.update_run(run_ids[0], name=unique)
    assert find_run(run_ids[0]).run_id == run_ids[0]
    assert find_run(run_ids[0][:16]).run_id == run_ids[0]
    assert find_run(unique).run_id == run_ids[0]
    name = re.escape(f"({experiment}/dropout-0, ")
    told = rf"(?s)dropout-0' matches 2 runs: [0-9a-f]{{32}} {name}\d{{4}}-.*ID prefix"
    with pytest.raises(UsageError, match=told):
        find_run(f"{experiment}/dropout-0")
    with pytest.raises(
        UsageError, match=r"No run has the id or the name 'droput-0'.*did you mean 'dropout-0'"
    ):
        find_run("droput-0")


@pytest.mark.usefixtures("sqlite_store")
def test_a_name_in_two_experiments_means_the_newest_or_the_named_one(make_start):
    ids = {}
    for name in ("first", "second"):
        tracker = connect(name)
        ids[name] = tracker.start_run(make_start())
        tracker.start_run(make_start(seed=1))
        tracker.client.create_run(tracker.experiment_id, run_name="dropout-0")  # such as an own script's
    assert find_run("dropout-0").run_id == ids["second"]
    assert find_run("first/dropout-0").run_id == ids["first"]
    assert find_run(f"first/{ids['first'][:16]}").run_id == ids["first"]
    with pytest.raises(UsageError, match="No run has"):
        find_run(f"first/{ids['second']}")
    with pytest.raises(UsageError, match="did you mean 'first/dropout-0'"):
        find_run("frist/dropout-0")


@pytest.mark.usefixtures("sqlite_store")
@pytest.mark.parametrize(
    "reference", ["", "%", "a'b\"c", "' OR 1=1", "f" * 32, "ffff", "\x1b[31m", "x" * 5000]
)
def test_references_that_fit_nothing(make_start, reference):
    connect("fashion-mnist").start_run(make_start())
    with pytest.raises(UsageError, match="No run has"):
        find_run(reference)


def test_test_probabilities(experiment, make_start, tmp_path):
    tracker = connect(experiment)
    run_id = tracker.start_run(make_start())
    with pytest.raises(TrackingError, match=r"no artifact predictions/test_probs\.npz"):
        load_test_probs(read_runs(experiment)[0])
    file = tmp_path / "result" / "predictions" / "test_probs.npz"
    file.parent.mkdir(parents=True)
    probs = np.linspace(0, 1, 802).reshape(2, 401).astype(np.float16)
    np.savez_compressed(file, probs=probs, labels=np.array([3, 300], np.uint16))
    tracker.log_result(run_id, {}, step=1, timestamp_ms=1, folder=tmp_path / "result")
    read, labels = load_test_probs(read_runs(experiment)[0])
    assert (read.dtype, labels.dtype) == (np.float32, np.int64)
    np.testing.assert_array_equal(read, probs.astype(np.float32))
    np.testing.assert_array_equal(labels, [3, 300])


@pytest.mark.usefixtures("sqlite_store")
def test_damaged_probabilities_are_named_and_no_pickle_is_read(make_start, tmp_path):
    tracker = connect("fashion-mnist")
    run_id = tracker.start_run(make_start())
    file = tmp_path / "result" / "predictions" / "test_probs.npz"
    file.parent.mkdir(parents=True)
    pickled, whole = io.BytesIO(), io.BytesIO()
    np.savez(pickled, probs=np.array([{"a": 1}], dtype=object), labels=np.zeros(1))
    np.savez_compressed(whole, probs=np.random.default_rng(0).random((50, 10)), labels=np.zeros(50))
    half = whole.getvalue()[: whole.tell() // 2]
    no_deflate = bytearray(whole.getvalue())
    no_deflate[100:200] = b"\xff" * 100
    for content in (b"no archive", pickled.getvalue(), half, bytes(no_deflate)):
        file.write_bytes(content)
        tracker.log_result(run_id, {}, step=1, timestamp_ms=1, folder=tmp_path / "result")
        with pytest.raises(TrackingError, match="is damaged"):
            load_test_probs(find_run(run_id))


@pytest.mark.usefixtures("sqlite_store")
def test_a_run_whose_process_is_gone_is_interrupted(make_start):
    tracker = connect("fashion-mnist")
    run_id = tracker.start_run(make_start())
    assert find_run(run_id).status is RunStatus.RUNNING
    ended = psutil.Popen(["true"])
    ended.wait()
    machine = (
        tracker.client.get_run(run_id).data.tags["dropout_lab.process"].rpartition(":")[0].rpartition(":")[0]
    )
    tracker.set_tags(run_id, {"dropout_lab.process": f"{machine}:{ended.pid}:1.0"})
    assert find_run(run_id).status is RunStatus.INTERRUPTED
    assert read_runs(statuses=[RunStatus.INTERRUPTED])[0].run_id == run_id
    assert read_runs(statuses=[RunStatus.RUNNING]) == []
    tracker.resume_run(run_id)
    assert find_run(run_id).status is RunStatus.RUNNING
