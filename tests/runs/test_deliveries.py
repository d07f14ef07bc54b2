"""Results uploaded by another process are those of this one, and none is lost with that process."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from dropout_lab.data.selection import load_all
from dropout_lab.errors import DropoutLabError
from dropout_lab.records import RunRecord, RunStatus
from dropout_lab.runs import deliveries as module
from dropout_lab.runs.deliveries import Deliveries
from dropout_lab.runs.discarding import discard
from dropout_lab.runs.executor import execute_design, resume_runs
from dropout_lab.runs.outcome import Report, RunOutcome
from dropout_lab.runs.planning import Origin, PlannedRun, plan_runs
from dropout_lab.runs.workspace import Workspace, workspaces
from dropout_lab.spec import Settings, load_spec
from dropout_lab.tracking import connect, read_runs, schema


@pytest.fixture
def train(lab: Path, make_listener: Callable[..., Any]) -> Callable[..., tuple[Report, Any]]:
    """Trains the runs of two seeds in an experiment."""

    def start(experiment: str, *, stop_after: int = 0) -> tuple[Report, Any]:
        runs = plan_runs(load_spec(lab / "tiny.yaml", [f"experiment={experiment}", "seeds=2"]))
        listener = make_listener(stop_after)
        trackers = {experiment: connect(experiment)}
        datasets = load_all(run.settings.data for run in runs)
        report = execute_design(runs, listener, listener.stop, datasets=datasets, trackers=trackers)
        return report, listener

    return start


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every result but the last is uploaded by another process."""
    monkeypatch.setattr(module, "FEWEST_RUNS", 2)


def by_name(experiment: str) -> dict[str, RunRecord]:
    runs = {run.run_name: run for run in read_runs(experiment, histories=("val_loss",))}
    assert {run.status for run in runs.values()} == {RunStatus.FINISHED}
    return runs


def artifacts(run: RunRecord) -> set[str]:
    client = MlflowClient()
    folders = [one.path for one in client.list_artifacts(run.run_id)]
    return {*folders, *(one.path for name in folders for one in client.list_artifacts(run.run_id, name))}


def test_another_process_uploads_the_same(train: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    train("here")
    monkeypatch.setattr(module, "FEWEST_RUNS", 2)
    report, listener = train("elsewhere")
    assert [outcome.run.name for outcome in report.outcomes] == [
        "baseline-seed0",
        "dropout-seed0",
        "baseline-seed1",
        "dropout-seed1",
    ]
    assert all(outcome.delivered for outcome in report.outcomes)
    assert len(listener.ends) == 4
    assert workspaces() == []
    here, there = by_name("here"), by_name("elsewhere")
    for name, run in here.items():
        assert there[name].final_weights == run.final_weights
        assert there[name].history == run.history
        assert there[name].metrics.keys() == run.metrics.keys()
        assert there[name].metrics["test_loss"] == run.metrics["test_loss"]
        assert artifacts(there[name]) == artifacts(run)
    client = MlflowClient()
    processes = [client.get_run(one.run_id).data.tags[schema.PROCESS] for one in report.outcomes]
    own = [f":{os.getpid()}:" in process for process in processes]
    assert own == [False, False, False, True]
    assert len(set(processes)) == 2


def test_what_a_killed_process_did_not_upload_this_one_does(
    elsewhere: None, train: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    take = Deliveries.take

    def take_and_kill(self: Deliveries, workspace: Workspace, outcome: RunOutcome) -> None:
        take(self, workspace, outcome)
        assert self._process is not None
        self._process.kill()

    monkeypatch.setattr(Deliveries, "take", take_and_kill)
    report, listener = train("killed")
    assert all(outcome.delivered for outcome in report.outcomes)
    assert len(by_name("killed")) == len(listener.ends) == 4
    assert workspaces() == []


def test_what_another_command_did_meanwhile_is_looked_up(
    elsewhere: None,
    train: Callable[..., Any],
    make_listener: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = make_listener()

    def take(self: Deliveries, workspace: Workspace, outcome: RunOutcome) -> None:
        self._pending.append((workspace, outcome))
        if outcome.run.name == "dropout-seed0":
            discard(workspace, pytest.fail)
        else:
            resume_runs([workspace], other, other.stop).raise_problems()

    monkeypatch.setattr(Deliveries, "take", take)
    report, listener = train("meanwhile")
    delivered = {outcome.run.name: outcome.delivered for outcome in report.outcomes}
    assert delivered == {
        "baseline-seed0": True,
        "dropout-seed0": False,
        "baseline-seed1": True,
        "dropout-seed1": True,
    }
    assert [note for note in listener.notes if "not logged" in note] == [
        "dropout-seed0 is not logged: Another command has finished or discarded this run."
    ]


@pytest.mark.slow
def test_what_the_process_cannot_reach_this_one_uploads(
    elsewhere: None, train: Callable[..., Any], lab: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = Deliveries.take

    def take_elsewhere(self: Deliveries, workspace: Workspace, outcome: RunOutcome) -> None:
        with environment(MLFLOW_TRACKING_URI="sqlite:///other.db"):
            take(self, workspace, outcome)

    monkeypatch.setattr(Deliveries, "take", take_elsewhere)
    report, _ = train("unreached")
    assert all(outcome.delivered for outcome in report.outcomes)
    assert len(by_name("unreached")) == 4
    assert not (lab / "other.db").exists()


def test_after_a_stop_what_was_trained_is_uploaded(elsewhere: None, train: Callable[..., Any]) -> None:
    report, listener = train("stopped", stop_after=5)
    assert report.interrupted is not None
    assert len(report.outcomes) == len(listener.ends) >= 1
    assert all(outcome.delivered for outcome in report.outcomes)
    finished = [run for run in read_runs("stopped") if run.status is RunStatus.FINISHED]
    assert len(finished) == len(report.outcomes)
    assert len(workspaces()) == 1


class Never(Deliveries):
    """Deliveries whose process is gone, or whose user has no patience."""

    def __init__(self, reporter: Any, error: BaseException | None = None) -> None:
        super().__init__(reporter)
        self._error = error

    def _wait(self, outcome: RunOutcome) -> None:
        if self._error is not None:
            raise self._error


def pending(deliveries: Deliveries) -> Report:
    outcome = RunOutcome(PlannedRun("baseline", 0, Settings(), Origin("study")), "r", {}, delivered=False)
    deliveries._pending.append((Workspace(Path("nowhere")), outcome))
    return Report(outcomes=[outcome])


def test_what_nobody_could_upload_is_named_and_left_to_sync(make_listener: Callable[..., Any]) -> None:
    def fail(workspace: Workspace) -> RunOutcome:
        raise DropoutLabError("The store is away.")

    listener = make_listener()
    deliveries = Never(listener)
    report = pending(deliveries)
    deliveries.settle(report, fail)
    assert listener.notes == ["baseline-seed0 is not logged: The store is away."]
    with pytest.raises(DropoutLabError, match="Some results are not logged yet"):
        report.raise_problems()


def test_a_second_interrupt_does_not_wait(make_listener: Callable[..., Any]) -> None:
    deliveries = Never(make_listener(), KeyboardInterrupt())
    report = pending(deliveries)
    deliveries.settle(report, pytest.fail)
    assert report.interrupted is not None
    assert report.interrupted.message == "baseline-seed0 trained, but not logged."


@pytest.mark.slow
def test_a_killed_command_loses_no_result(lab: Path, command: Callable[..., subprocess.Popen[str]]) -> None:
    num_runs = module.FEWEST_RUNS
    options = ("run", "tiny.yaml", "--seeds", str(num_runs // 2), "--set", "training.epochs=1")
    first = command(*options)
    assert first.stderr is not None
    for line in first.stderr:
        if line.startswith(f"[{num_runs // 2}/{num_runs}]"):
            break
    first.send_signal(signal.SIGKILL)
    first.communicate()
    again = command(*options)
    _, err = again.communicate(timeout=600)
    assert again.returncode == 0, err
    assert len(by_name("tiny in lab")) == len(read_runs("tiny in lab")) == num_runs
    assert workspaces() == []


@contextmanager
def environment(**variables: str) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        yield
