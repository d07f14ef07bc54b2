import json
import re

import pytest
from mlflow import MlflowClient

from dropout_lab.cli.console import TextOrJson
from dropout_lab.cli.runs import runs


@pytest.fixture
def ids(logged_runs, monkeypatch):
    folder, ids = logged_runs
    monkeypatch.chdir(folder)
    return ids


def test_all_runs_are_listed(ids, capsys):
    runs("study")
    output = capsys.readouterr().out
    assert output.startswith("Runs of study")
    rows = (re.split(r"\s{2,}", line.strip()) for line in output.splitlines())
    assert {(row[0], row[1], row[2], row[4]) for row in rows if row[0].endswith("seed0")} == {
        ("baseline-seed0", "FINISHED", "90.00%", ids["baseline-seed0"]),
        ("dropout-seed0", "FINISHED", "95.00%", ids["dropout-seed0"]),
    }


def test_a_name_cannot_command_the_terminal(ids, capsys):
    runs("study")
    output = capsys.readouterr().out
    assert "\x1b" not in output
    assert "[red]evil\\x1b[31m[/red]" in output


def test_a_run_whose_process_is_gone_is_shown_as_interrupted_and_can_be_marked(interrupted_run, capsys):
    runs()
    assert "1 interrupted run. `dropout-lab resume` continues" in capsys.readouterr().out
    assert MlflowClient().get_run(interrupted_run).info.status == "RUNNING"
    runs(repair=True)
    assert "Marked 1 interrupted run as KILLED." in capsys.readouterr().out
    assert MlflowClient().get_run(interrupted_run).info.status == "KILLED"
    runs(format_=TextOrJson.JSON)
    shown = {run["run_name"]: run for run in json.loads(capsys.readouterr().out)}
    assert {name: run["status"] for name, run in shown.items()} == {
        "baseline-seed0": "FINISHED",
        "dropout-seed0": "KILLED",
    }
    assert shown["dropout-seed0"]["run_id"] == interrupted_run
    assert shown["baseline-seed0"]["test_accuracy"] == 0.9
