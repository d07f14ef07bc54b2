"""`dropout-lab delete` asks first, and says what it deleted."""

import io
import shutil
import sys

import pytest

from dropout_lab.cli.delete import delete
from dropout_lab.errors import UsageError
from dropout_lab.tracking import connect, read_runs


@pytest.fixture
def folder(logged_runs, tmp_path, monkeypatch):
    """A copy of the folder with logged runs."""
    copied = tmp_path / "copied"
    shutil.copytree(logged_runs[0], copied)
    monkeypatch.chdir(copied)
    return copied


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_nothing_is_deleted_without_a_word(folder, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    with pytest.raises(
        UsageError, match=r"delete experiment study, 3 MLflow runs and 1 model. --yes is required"
    ):
        delete(["study"])
    monkeypatch.setattr(sys, "stdin", Terminal("n\n"))
    delete(["study"])
    printed = capsys.readouterr()
    assert printed.out.strip() == "Nothing was deleted."
    assert "Delete experiment study, 3 MLflow runs and 1 model for good?" in printed.err
    assert len(read_runs("study")) == 3


def test_runs_and_then_their_experiment_are_deleted(folder, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", Terminal("y\n"))
    delete(["study/baseline-seed0"])
    assert capsys.readouterr().out.strip() == "Deleted run baseline-seed0."
    assert next(run.run_name for run in read_runs("study")) == "dropout-seed0"
    delete(["study"], yes=True)
    assert capsys.readouterr().out == "Deleted experiment study, 2 MLflow runs and 1 model.\n"
    connect("study")
    assert read_runs("study") == []
    with pytest.raises(UsageError, match="'nosuch'"):
        delete(["nosuch"], yes=True)
