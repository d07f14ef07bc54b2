"""Continue runs in workers: those that cannot continue are named before a process starts."""

from contextlib import nullcontext
from pathlib import Path

from dropout_lab.runs.planning import plan_runs
from dropout_lab.runs.resuming import plan_resuming, resume_workspaces
from dropout_lab.runs.worker_plan import WorkerPlan
from dropout_lab.runs.workspace import STATE_ROOT, State, Workspace, workspaces
from dropout_lab.spec import load_spec


def test_what_cannot_continue_is_named_and_starts_no_worker(lab: Path, make_listener) -> None:
    (run, *_) = plan_runs(load_spec(lab / "tiny.yaml"))
    elsewhere = Workspace(STATE_ROOT / "elsewhere")
    with elsewhere.locked():
        elsewhere.write(State(run, None, "/another/mlflow.db"))
    damaged = Workspace(STATE_ROOT / "damaged")
    damaged.path.mkdir()
    (damaged.path / "run.json").write_text("{")
    found = workspaces()
    assert len(found) == 2
    assert plan_resuming("2", found) == WorkerPlan(2, plan_resuming("2", []).threads)
    listener = make_listener()
    report = resume_workspaces(
        found, nullcontext(listener), lambda _: nullcontext(), plan=plan_resuming("2", found)
    )
    assert report.outcomes == []
    first, second = sorted(report.failures, key=lambda failure: failure.name)
    assert (first.name, second.name) == ("baseline-seed0", "damaged")
    assert "it is logged to /another/mlflow.db, but the tracking store is now mlflow.db" in first.message
    assert "is damaged, so this run cannot continue" in second.message
    assert "dropout-lab discard damaged" in second.hint
    assert "tiny in lab" not in (lab / "mlruns").as_posix()
