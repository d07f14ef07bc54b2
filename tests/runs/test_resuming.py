"""Continue runs in workers: those that cannot continue are named before a process starts."""

from contextlib import nullcontext
from pathlib import Path

import pytest

from dropout_lab.errors import UsageError
from dropout_lab.records import RunStatus
from dropout_lab.runs.executor import execute_runs
from dropout_lab.runs.planning import plan_runs
from dropout_lab.runs.resuming import resume_workspaces, workers_to_resume
from dropout_lab.runs.worker_plan import WorkerPlan
from dropout_lab.runs.workspace import STATE_ROOT, State, Workspace, workspaces
from dropout_lab.spec import load_spec
from dropout_lab.tracking import read_runs
from dropout_lab.training.devices import num_threads


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
    listener = make_listener()
    with workers_to_resume(found, starting, workers="2") as plan:
        assert plan is not None and plan.count == 2
        report = resume_workspaces(found, nullcontext(listener), starting, plan=plan)
    assert report.outcomes == []
    first, second = sorted(report.failures, key=lambda failure: failure.name)
    assert (first.name, second.name) == ("baseline-seed0", "damaged")
    assert "it is logged to /another/mlflow.db, but the tracking store is now mlflow.db" in first.message
    assert "is damaged, so this run cannot continue" in second.message
    assert "dropout-lab discard damaged" in second.hint
    assert "tiny in lab" not in (lab / "mlruns").as_posix()


def test_without_a_run_to_continue_nothing_is_started_but_arguments_are_checked(lab: Path) -> None:
    with workers_to_resume([], fail, executor="ray", address="nowhere:1") as plan:
        assert plan is None
    with (
        pytest.raises(UsageError, match="workers: invalid value: 'x'"),
        workers_to_resume([], fail, workers="x"),
    ):
        pass


@pytest.mark.slow
def test_a_run_without_a_checkpoint_resumes_with_the_threads_that_it_was_started_with(
    lab: Path, make_listener
) -> None:
    (run, *_) = plan_runs(load_spec(lab / "tiny.yaml"))
    listener = make_listener(1)
    assert execute_runs([run], listener, listener.stop).interrupted
    (workspace,) = workspaces()
    for checkpoint in workspace.path.glob("*.checkpoint"):
        checkpoint.unlink()
    plan = WorkerPlan(1, num_threads() + 1)
    report = resume_workspaces([workspace], nullcontext(make_listener()), starting, plan=plan)
    report.raise_problems()
    (record,) = read_runs("tiny in lab")
    assert (record.status, record.num_threads) == (RunStatus.FINISHED, str(num_threads()))


def starting(_: str) -> nullcontext[None]:
    return nullcontext()


def fail(library: str) -> nullcontext[None]:
    raise AssertionError(library)
