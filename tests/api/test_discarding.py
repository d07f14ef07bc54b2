"""`discard`: one interrupted run, or all, never those that a name happens to fit."""

from pathlib import Path

import pytest

import dropout_lab as dl
from dropout_lab.runs.planning import Origin, PlannedRun
from dropout_lab.runs.workspace import STATE_ROOT, State, Workspace, workspaces
from dropout_lab.spec import Settings


@pytest.fixture
def interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Workspace]:
    """Workspaces of runs of one name in two experiments."""
    monkeypatch.chdir(tmp_path)
    found = []
    for experiment in ("first", "second"):
        workspace = Workspace(STATE_ROOT / experiment)
        with workspace.locked():
            run = PlannedRun("dropout", 0, Settings(), Origin(experiment))
            workspace.write(State(run, None, "mlflow.db"))
        found.append(workspace)
    return found


def test_one_run_is_discarded_or_all(interrupted: list[Workspace]) -> None:
    with pytest.raises(dl.DropoutLabError, match="matches 2 interrupted runs"):
        dl.discard("dropout-seed0")
    assert workspaces() == interrupted
    assert dl.discard("second/dropout-seed0") == ("dropout-seed0",)
    assert workspaces() == interrupted[:1]
    assert dl.discard(all_runs=True) == ("dropout-seed0",)
    assert workspaces() == []


def test_a_run_in_training_stays(interrupted: list[Workspace]) -> None:
    with interrupted[0].locked(), pytest.raises(dl.DropoutLabError, match="dropout-seed0: Process"):
        dl.discard(all_runs=True)
    assert workspaces() == interrupted[:1]


@pytest.mark.parametrize(("run", "all_runs"), [(None, False), ("dropout-seed0", True)])
def test_what_to_discard_is_named_in_one_way(
    interrupted: list[Workspace], run: str | None, all_runs: bool
) -> None:
    with pytest.raises(dl.DropoutLabError, match="name one run, or pass all_runs"):
        dl.discard(run, all_runs=all_runs)
    assert workspaces() == interrupted
