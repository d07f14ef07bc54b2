"""Registered versions: one per model, with an alias that moves; in either kind of store."""

import pytest

from dropout_lab.errors import UsageError
from dropout_lab.records import RunStatus
from dropout_lab.tracking import connect
from dropout_lab.tracking.registry import find_version, promote


@pytest.fixture
def two_runs(experiment, make_start, tmp_path):
    files = tmp_path / "files"
    files.mkdir()
    tracker = connect(experiment)
    ids = []
    for seed in (0, 1):
        run_id = tracker.start_run(make_start(seed=seed))
        model = tracker.client.create_logged_model(tracker.experiment_id, name="model", source_run_id=run_id)
        tracker.client.log_model_artifacts(model.model_id, str(files))
        tracker.client.finalize_logged_model(model.model_id, "READY")
        tracker.end_run(run_id, RunStatus.FINISHED)
        ids.append(run_id)
    return tracker, ids


def test_a_version_is_created_once_and_its_alias_moves(two_runs):
    tracker, (first, second) = two_runs
    name = f"model of {tracker.experiment}"
    created = promote(first, name=name, alias="champion")
    assert (created.version, created.is_new, created.previous) == (1, True, None)
    assert created.uri == f"models:/{name}@champion"
    again = promote(first, name=name, alias="champion")
    assert (again.version, again.is_new, again.previous) == (1, False, None)
    other = promote(second, name=name, alias="champion")
    assert (other.version, other.is_new, other.previous) == (2, True, 1)
    assert promote(first, name=name, alias="old").version == 1
    back = promote(first, name=name, alias="champion")
    assert (back.version, back.is_new, back.previous) == (1, False, 2)
    versions = tracker.client.search_model_versions(f"name = '{name}'")
    assert sorted((int(one.version), one.run_id) for one in versions) == [(1, first), (2, second)]

    assert find_version(tracker.client, f"{name}@champion").run_id == first
    assert find_version(tracker.client, f"models:/{name}@old").run_id == first
    assert find_version(tracker.client, f"models:/{name}/2").run_id == second
    assert find_version(tracker.client, "dropout-1") is None
    with pytest.raises(UsageError, match="has no alias 'champ'") as error:
        find_version(tracker.client, f"{name}@champ")
    assert f"{name}@champion" in str(error.value.hint)
    with pytest.raises(UsageError, match="has no version 7"):
        find_version(tracker.client, f"models:/{name}/7")
    with pytest.raises(UsageError, match="did you mean"):
        find_version(tracker.client, f"{name}s@champion")


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_what_cannot_be_promoted_is_refused_and_nothing_is_created(experiment, make_start):
    tracker = connect(experiment)
    run_id = tracker.start_run(make_start())
    for reference, name, alias, words in (
        (run_id, "clothes", "champion", "has no model: its status is RUNNING"),
        ("nosuch", "clothes", "champion", "No run has the id"),
        (run_id, "a/b", "champion", "name: 'a/b'"),
        (run_id, "", "champion", "name: ''"),
        (run_id, "clothes", "v1", "alias: 'v1'"),
        (run_id, "clothes", "best one", "alias: 'best one'"),
    ):
        with pytest.raises(UsageError, match=words):
            promote(reference, name=name, alias=alias)
    assert tracker.client.search_registered_models() == []
