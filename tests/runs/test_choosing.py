"""Interrupted runs are named as in the tracking store; a name can fit several."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dropout_lab.errors import UsageError
from dropout_lab.runs.choosing import choose_workspace, choose_workspaces
from dropout_lab.runs.planning import Origin, PlannedRun
from dropout_lab.runs.workspace import STATE_ROOT, State, Workspace
from dropout_lab.spec import Settings

MakeWorkspace = Callable[..., Workspace]


@pytest.fixture
def make_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeWorkspace:
    """Makes the workspace of dropout-seed3 in an experiment."""
    monkeypatch.chdir(tmp_path)

    def make(folder: str, experiment: str = "study", run_id: str = "") -> Workspace:
        workspace = Workspace(STATE_ROOT / folder)
        with workspace.locked():
            run = PlannedRun("dropout", 3, Settings(), Origin(experiment))
            workspace.write(State(run, None, "mlflow.db", run_id=run_id))
        return workspace

    return make


@pytest.mark.parametrize(
    "reference",
    ["dropout-seed3", "0123", "0123456789abcdef", "a/study/dropout-seed3", "a/study/0123"],
)
def test_a_run_is_found_by_its_name_and_by_its_id(make_workspace: MakeWorkspace, reference: str) -> None:
    workspace = make_workspace("folder", "a/study", "0123456789abcdef")
    assert choose_workspaces(reference) == [workspace]
    assert choose_workspace(reference) == workspace


@pytest.mark.parametrize(
    "reference", ["dropout-seed4", "012", "abcd", "", "fold", "other/dropout-seed3", "/dropout-seed3"]
)
def test_an_unknown_run_is_told_with_the_nearest_name(make_workspace: MakeWorkspace, reference: str) -> None:
    make_workspace("folder", run_id="0123456789abcdef")
    with pytest.raises(UsageError, match="No interrupted run") as refused:
        choose_workspaces(reference)
    assert "dropout-seed3" in str(refused.value)


def test_a_damaged_state_is_found_by_its_folder(make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace("folder", run_id="0123456789abcdef")
    (workspace.path / "run.json").write_text("{")
    assert choose_workspaces("fold") == [workspace]
    with pytest.raises(UsageError, match="No interrupted run"):
        choose_workspaces("study/fold")


def test_one_of_several_runs_is_chosen_by_its_experiment_or_id(make_workspace: MakeWorkspace) -> None:
    first = make_workspace("aaaa-folder", "first", "0123456789abcdef")
    second, edited = make_workspace("bbbb-folder", "second"), make_workspace("cccc-folder", "second")
    assert choose_workspaces("dropout-seed3") == choose_workspaces(None) == [first, second, edited]
    with pytest.raises(UsageError) as refused:
        choose_workspace("dropout-seed3")
    for candidate in (
        "first/dropout-seed3 (01234567)",
        "second/dropout-seed3 (bbbb-fol)",
        "second/dropout-seed3 (cccc-fol)",
    ):
        assert candidate in refused.value.message
    assert choose_workspace("first/dropout-seed3") == first
    with pytest.raises(UsageError, match="matches 2 interrupted runs"):
        choose_workspace("second/dropout-seed3")
    assert choose_workspace("cccc-fol") == edited
