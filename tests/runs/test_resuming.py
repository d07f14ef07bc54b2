"""Continue runs in workers: those that cannot continue are named before a process starts."""

from contextlib import nullcontext
from pathlib import Path

import pytest

from dropout_lab.errors import UsageError
from dropout_lab.runs.planning import plan_runs
from dropout_lab.runs.resuming import resume_workspaces, workers_to_resume
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
    listener = make_listener()

    def starting(_: str) -> nullcontext[None]:
        return nullcontext()

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


def fail(library: str) -> nullcontext[None]:
    raise AssertionError(library)
