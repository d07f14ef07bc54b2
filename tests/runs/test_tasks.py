"""What a worker is told: it survives JSON, and an interrupted run keeps its number of threads."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from dropout_lab.runs.identity import Identity
from dropout_lab.runs.planning import PlannedRun, plan_runs
from dropout_lab.runs.tasks import Task, recorded_threads, training_tasks
from dropout_lab.runs.workspace import STATE_ROOT, State, Workspace
from dropout_lab.spec import Spec


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[PlannedRun]:
    monkeypatch.chdir(tmp_path)
    return plan_runs(Spec(name="tasks", experiment="tasks", seeds=2))


def interrupted(run: PlannedRun, threads: str = "3", experiment: str = "") -> Workspace:
    identity = Identity(
        condition=run.condition,
        seed=run.seed,
        settings={},
        data="",
        device="CPU",
        engine="keras",
        versions={},
        code="",
        arithmetic={"threads": threads},
    )
    workspace = Workspace(STATE_ROOT / f"{run.name}{experiment}")
    with workspace.locked():
        workspace.write(State(run, identity, "mlflow.db"))
    (workspace.path / "1.checkpoint").touch()
    return workspace


def test_a_task_survives_json(runs: list[PlannedRun]) -> None:
    for task in (Task(runs[0], fresh=True), Task(runs[1], folder="mlruns/.dropout_lab/x")):
        assert Task.from_json(json.loads(json.dumps(task.to_json()))) == task
    assert Task(runs[0]).workspace is None
    assert Task(runs[0], folder="a/b").workspace == Workspace(Path("a/b"))


def test_a_run_that_was_interrupted_keeps_its_number_of_threads(runs: list[PlannedRun]) -> None:
    interrupted(runs[0])
    assert [task.threads for task in training_tasks(runs)] == [3, 0]
    assert [task.threads for task in training_tasks(runs, fresh=True)] == [0, 0]


def test_runs_of_other_experiments_have_no_say(runs: list[PlannedRun]) -> None:
    (other, _) = plan_runs(Spec(name="tasks", experiment="other", seeds=2))
    interrupted(other)
    assert [task.threads for task in training_tasks(runs)] == [0, 0]


def test_without_a_checkpoint_any_number_will_do_unless_it_is_resumed(runs: list[PlannedRun]) -> None:
    workspace = interrupted(runs[0])
    (workspace.path / "1.checkpoint").unlink()
    assert [task.threads for task in training_tasks(runs)] == [0, 0]
    state = workspace.read()
    assert state is not None
    assert recorded_threads(state) == 3
    assert recorded_threads(replace(state, identity=None)) == 0
