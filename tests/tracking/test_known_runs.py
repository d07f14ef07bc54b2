"""Runs of earlier processes: there, deleted, unknown; and experiments under another name. In either store."""

import pytest

from dropout_lab.errors import TrackingError
from dropout_lab.records import RunStatus
from dropout_lab.tracking import connect, discard_run, has_run, is_finished


def test_a_deleted_and_an_unknown_run_are_not_there(experiment, make_start):
    tracker = connect(experiment)
    run_id = tracker.start_run(make_start())
    assert has_run(run_id)
    assert tracker.has_run(run_id)
    tracker.client.delete_run(run_id)
    for missing in (run_id, "0" * 32):
        assert not has_run(missing)
        assert not is_finished(missing)
        assert not tracker.has_run(missing)
        assert not discard_run(missing)


def test_a_discarded_run_is_killed_unless_it_is_finished(experiment, make_start):
    tracker = connect(experiment)
    for status, expected in (
        (None, "KILLED"),
        (RunStatus.FAILED, "KILLED"),
        (RunStatus.FINISHED, "FINISHED"),
    ):
        run_id = tracker.start_run(make_start())
        if status:
            tracker.end_run(run_id, status)
        assert is_finished(run_id) is (status is RunStatus.FINISHED)
        assert discard_run(run_id)
        run = tracker.client.get_run(run_id)
        assert run.info.status == expected
        assert run.data.tags.get("dropout_lab.discarded") == (None if expected == "FINISHED" else "true")


def test_an_experiment_without_runs_knows_the_one_that_had_its_name(experiment, make_start):
    tracker = connect(experiment)
    assert tracker.renamed_to() is None
    tracker.start_run(make_start(experiment=experiment))
    tracker.client.rename_experiment(tracker.experiment_id, f"{experiment} renamed")
    new = connect(experiment)
    assert new.renamed_to() == f"{experiment} renamed"
    new.start_run(make_start(experiment=experiment))
    assert new.renamed_to() is None


def test_where_there_is_no_store_that_is_told_and_none_is_made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for ask in (has_run, is_finished, discard_run):
        with pytest.raises(TrackingError):
            ask("0" * 32)
    assert list(tmp_path.iterdir()) == []
