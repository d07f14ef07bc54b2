"""The parts of MLflow that are not public still do what dropout_lab needs; these fail where they changed."""

import sqlite3

import pytest

from dropout_lab.tracking import connect, mlflow_internals


def test_bulk_histories_are_those_of_the_public_client(store, experiment, make_start, make_epochs):
    tracker = connect(experiment)
    run_ids = [tracker.start_run(make_start(seed=seed)) for seed in range(2)]
    for run_id in run_ids:
        tracker.log_epochs(run_id, make_epochs(3))
    location = tracker.location
    if store == "http":
        read = mlflow_internals.server_history(location.uri)
    else:
        read = mlflow_internals.database_history(location.uri, location.artifact_root)
    expected = {
        (run_id, one.step, one.value)
        for run_id in run_ids
        for one in tracker.client.get_metric_history(run_id, "val_loss")
    }
    found = read(run_ids, "val_loss", mlflow_internals.VALUES_PER_REQUEST)
    assert len(found) == 6
    assert set(found) == expected
    assert len(read(run_ids, "val_loss", 4)) == 4
    assert read(run_ids, "nothing", 4) == []


def test_a_new_database_has_the_newest_of_the_known_revisions(empty_store):
    newest, known = mlflow_internals.schema_revisions()
    with sqlite3.connect(empty_store / "mlflow.db") as connection:
        assert set(connection.execute("SELECT version_num FROM alembic_version")) == {
            (one,) for one in newest
        }
    assert newest < known
    assert "451aebb31d03" in known  # MLflow's first


def test_a_database_that_cannot_be_opened_is_an_error_at_once(tmp_path, empty_store):
    mlflow_internals.connect_once(f"sqlite:///{empty_store}/mlflow.db")
    with pytest.raises(Exception, match="unable to open database file"):
        mlflow_internals.connect_once(f"sqlite:///{tmp_path}/missing/mlflow.db")
