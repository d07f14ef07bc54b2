import os
import shutil
import subprocess
import sys

import pytest

from dropout_lab.cli import completion
from dropout_lab.tracking import connect


class Context:
    def __init__(self, **params: list[str]) -> None:
        self.params = params


@pytest.fixture
def folder(logged_runs, monkeypatch):
    monkeypatch.chdir(logged_runs[0])
    return logged_runs[0]


def test_names_in_the_database_are_completed(folder):
    assert completion.complete_experiment("") == ["study"]
    assert completion.complete_experiment("x") == []
    assert completion.complete_run("drop") == ["dropout-seed0"]
    assert completion.complete_run("study/b") == ["study/baseline-seed0"]
    assert sorted(completion.complete_condition(Context(), "")) == ["baseline", "dropout"]


def test_a_study_is_no_run(folder, tmp_path, monkeypatch):
    shutil.copy(folder / "mlflow.db", tmp_path)
    monkeypatch.chdir(tmp_path)
    connect("study").open_study()
    assert completion.complete_run("st") == []
    assert completion.complete_experiment_or_run("st") == ["study"]
    assert "study/study" not in completion.complete_run("study/")


def test_conditions_are_those_of_the_experiment(folder):
    assert completion.complete_condition(Context(experiments=["study"]), "base") == ["baseline"]
    assert completion.complete_condition(Context(experiments=["another"]), "") == []


def test_metrics_are_completed_with_their_short_names():
    assert completion.complete_metric("test_l") == ["test_loss"]
    assert completion.complete_metric("ec") == ["ece"]


@pytest.mark.parametrize("uri", ["sqlite:///missing.db", "http://127.0.0.1:9/", "sqlite:///damaged.db"])
def test_without_a_readable_local_database_nothing_is_completed(tmp_path, monkeypatch, uri):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "damaged.db").write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert completion.complete_run("") == []
    assert not (tmp_path / "missing.db").exists()


def test_the_shell_gets_names_without_mlflow(folder):
    asked = {
        "_DROPOUT_LAB_COMPLETE": "complete_bash",
        "COMP_WORDS": "dropout-lab show dropout",
        "COMP_CWORD": "2",
    }
    code = """
import sys
sys.argv = ["dropout-lab"]
from dropout_lab.cli.app import main
try:
    main()
finally:
    print([name for name in ("mlflow", "tensorflow", "scipy") if name in sys.modules], file=sys.stderr)
"""
    result = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | asked,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout.split() == ["dropout-seed0"], result.stderr
    assert result.stderr.splitlines()[-1] == "[]"
