"""An experiment has one study that all of its runs are nested under, whatever happened to an earlier one."""

import math
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import pytest

from dropout_lab.records import RunStatus
from dropout_lab.tracking import connect, read_runs, schema
from dropout_lab.tracking.studies import find_study


def studies(tracker):
    found = tracker.client.search_runs([tracker.experiment_id])
    return [run for run in found if schema.STUDY in run.data.tags]


def finished(tracker, start):
    run_id = tracker.start_run(start)
    tracker.end_run(run_id, RunStatus.FINISHED)
    return run_id


@pytest.mark.parametrize("has_lock", [True, False], ids=["file", "server"])
def test_processes_that_open_the_study_at_once_have_one(sqlite_store, monkeypatch, has_lock):
    if not has_lock:  # as with a server, which no lock is shared with
        monkeypatch.setattr("dropout_lab.tracking.studies.store_lock", lambda _: nullcontext())
    trackers = [connect("at once") for _ in range(4)]
    with ThreadPoolExecutor(len(trackers)) as pool:
        list(pool.map(lambda tracker: tracker.open_study(), trackers))
    trackers[0].summarize_study({}, {}, "")
    assert len(studies(trackers[0])) == 1
    if has_lock:
        (study,) = studies(trackers[0])
        assert {tracker._study_id for tracker in trackers} == {study.info.run_id}
        assert len(trackers[0].client.search_runs([trackers[0].experiment_id], run_view_type=3)) == 1


def test_runs_of_a_deleted_study_move_to_the_next_one(sqlite_store, make_start):
    tracker = connect("deleted study")
    tracker.open_study()
    first = finished(tracker, make_start(seed=0))
    tracker.client.delete_run(find_study(tracker.client, tracker.experiment_id))
    late = finished(tracker, make_start(seed=1))  # of the same process, which knows the old one
    assert len(read_runs("deleted study")) == 2

    other = connect("deleted study")
    other.open_study()
    new = finished(other, make_start(seed=2))
    other.summarize_study({}, {}, "The results.")
    (study,) = studies(other)
    parents = [other.client.get_run(run_id).data.tags[schema.PARENT] for run_id in (first, late, new)]
    assert parents == [study.info.run_id] * 3


def test_a_summary_leaves_nothing_of_an_earlier_one(sqlite_store):
    tracker = connect("summarized")
    tracker.open_study()
    tags = {f"{schema.VERDICT}{name}": "better" for name in ("half", "most")}
    tracker.summarize_study({"difference/half": 0.1, "test_accuracy/half": 0.9}, tags, "Both.")
    tracker.summarize_study({"test_accuracy/half": 0.8}, {f"{schema.VERDICT}most": "worse"}, "One.")
    (study,) = studies(tracker)
    verdicts = {name: value for name, value in study.data.tags.items() if name.startswith(schema.VERDICT)}
    assert verdicts == {f"{schema.VERDICT}most": "worse"}
    assert study.data.metrics["test_accuracy/half"] == 0.8
    assert math.isnan(study.data.metrics["difference/half"])
    assert study.data.tags[schema.DESCRIPTION] == "One."
