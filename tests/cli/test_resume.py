import io

import pytest

from dropout_lab.cli.console import TextOrJson
from dropout_lab.cli.resume import discard, resume, sync
from dropout_lab.errors import DropoutLabError, UsageError
from dropout_lab.runs.planning import Origin, PlannedRun
from dropout_lab.runs.workspace import STATE_ROOT, State, Workspace, workspaces
from dropout_lab.spec import Settings


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def interrupted():
    """Workspaces of two runs that were stopped before MLflow knew them."""
    found = []
    for condition in ("baseline", "dropout"):
        workspace = Workspace(STATE_ROOT / condition)
        with workspace.locked():
            workspace.write(State(PlannedRun(condition, 0, Settings(), Origin("study")), None, "mlflow.db"))
        found.append(workspace)
    return found


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("command", "told"), [(resume, "No interrupted runs in this folder."), (sync, "Nothing to sync.")]
)
def test_where_nothing_is_left_to_do_nothing_is_done(command, told, folder, capsys):
    command()
    assert capsys.readouterr().out.startswith(told)
    command(format_=TextOrJson.JSON)
    assert capsys.readouterr().out == "[]\n"
    discard(all_=True)
    assert capsys.readouterr().out == "No interrupted runs in this folder.\n"
    assert list(folder.iterdir()) == []


def test_one_run_is_discarded_or_all(interrupted, capsys):
    discard("baseline-seed0")
    assert capsys.readouterr().out == "Discarded baseline-seed0.\n"
    assert workspaces() == interrupted[1:]
    discard(all_=True)
    assert workspaces() == []


@pytest.mark.parametrize(("answer", "num_left"), [("n\n", 2), ("\n", 2), ("y\n", 0)])
def test_a_terminal_is_asked_first(interrupted, capsys, monkeypatch, answer, num_left):
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    discard(all_=True)
    captured = capsys.readouterr()
    assert "Discard baseline-seed0, dropout-seed0?" in captured.err + captured.out
    assert len(workspaces()) == num_left


def test_yes_answers_for_the_terminal(interrupted, monkeypatch):
    monkeypatch.setattr("sys.stdin", Terminal(""))
    discard(all_=True, yes=True)
    assert workspaces() == []


@pytest.mark.parametrize(("run", "all_"), [(None, False), ("baseline-seed0", True)])
def test_what_to_discard_is_named_in_one_way(interrupted, run, all_):
    with pytest.raises(UsageError, match="Name one run, or pass --all"):
        discard(run, all_)
    assert workspaces() == interrupted


def test_a_run_in_training_is_not_discarded(interrupted, capsys):
    with interrupted[0].locked(), pytest.raises(DropoutLabError, match="baseline-seed0: Process"):
        discard(all_=True)
    assert capsys.readouterr().out == "Discarded dropout-seed0.\n"
    assert workspaces() == interrupted[:1]


def test_a_name_of_several_runs_is_refused_and_its_experiment_chooses(interrupted, capsys):
    other = Workspace(STATE_ROOT / "other")
    with other.locked():
        other.write(State(PlannedRun("baseline", 0, Settings(), Origin("other")), None, "mlflow.db"))
    with pytest.raises(UsageError, match=r"other/baseline-seed0 \(other\); study/baseline-seed0 \(base"):
        discard("baseline-seed0")
    assert workspaces() == [*interrupted, other]
    discard("other/baseline-seed0")
    assert capsys.readouterr().out == "Discarded baseline-seed0.\n"
    assert workspaces() == interrupted
