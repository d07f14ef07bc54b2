"""Deleting a run deletes what it has left in this folder, too."""

import pytest

from dropout_lab.records import RunStatus
from dropout_lab.runs.deleting import delete, plan_deletion
from dropout_lab.runs.planning import PlannedRun, plan_runs
from dropout_lab.runs.workspace import STATE_ROOT, RunLockedError, State, Workspace, workspaces
from dropout_lab.spec import load_spec
from dropout_lab.tracking import connect
from dropout_lab.tracking.deleting import Doomed


def interrupted(run: PlannedRun, run_id: str) -> Workspace:
    """Leave a workspace as a run that was interrupted does."""
    workspace = Workspace(STATE_ROOT / f"{run.name}-folder")
    with workspace.locked():
        workspace.write(State(run, None, "mlflow.db", run_id=run_id))
        (workspace.path / "1.checkpoint").write_bytes(b"weights")
    return workspace


@pytest.mark.slow
def test_workspaces_go_with_their_runs_unless_one_is_in_use(lab):
    planned = plan_runs(load_spec(lab / "tiny.yaml"))
    tracker = connect("tiny in lab")
    ids = []
    for run in planned[:2]:
        run_id = str(tracker.client.create_run(tracker.experiment_id, run_name=run.name).info.run_id)
        for name, value in (("condition", run.condition), ("seed", str(run.seed))):
            tracker.client.set_tag(run_id, f"dropout_lab.{name}", value)
        tracker.end_run(run_id, RunStatus.KILLED)
        ids.append(run_id)
    first, second = (interrupted(run, run_id) for run, run_id in zip(planned[:2], ids, strict=True))
    deletion = plan_deletion([ids[0]])
    assert deletion.workspaces == (first,)
    delete(deletion, pytest.fail)
    assert workspaces() == [second]
    assert not first.path.exists()

    deletion = plan_deletion(["tiny in lab"])
    assert isinstance(deletion.doomed, Doomed)
    assert deletion.workspaces == (second,)
    with second.locked(), pytest.raises(RunLockedError):
        delete(deletion, pytest.fail)
    assert tracker.has_run(ids[1])
    delete(deletion, pytest.fail)
    assert workspaces() == []
    assert tracker.client.get_experiment_by_name("tiny in lab") is None
