import json
import re

import pytest
from mlflow import MlflowClient

from dropout_lab.cli.console import TextOrJson
from dropout_lab.cli.runs import runs
from dropout_lab.errors import UsageError


@pytest.fixture
def ids(logged_runs, monkeypatch):
    folder, ids = logged_runs
    monkeypatch.chdir(folder)
    return ids


def test_all_runs_are_listed(ids, capsys):
    runs(["study"])
    output = capsys.readouterr().out
    assert output.startswith("Runs of study")
    rows = (re.split(r"\s{2,}", line.strip()) for line in output.splitlines())
    assert {(*row[:5], row[-1]) for row in rows if row[0].endswith("seed0")} == {
        ("baseline-seed0", "FINISHED", "3/3", "80.00%", "90.00%", ids["baseline-seed0"][:8]),
        ("dropout-seed0", "FINISHED", "3/3", "80.00%", "95.00%", ids["dropout-seed0"][:8]),
    }


def test_experiments_are_listed(ids, capsys):
    runs(all_=True)
    rows = [re.split(r"\s{2,}", line) for line in capsys.readouterr().out.splitlines()]
    assert rows[0] == ["Experiment", "Finished runs", "Conditions", "Last started"]
    assert [row[:3] for row in rows[2:]] == [["study", "3/3", "baseline, dropout"]]
    runs(all_=True, format_=TextOrJson.JSON)
    assert json.loads(capsys.readouterr().out)[0]["num_finished"] == 3


def test_watching_needs_a_terminal(ids):
    with pytest.raises(UsageError, match="--watch: needs a terminal"):
        runs(["study"], watch=True)


def test_a_name_cannot_command_the_terminal(ids, capsys):
    runs(["study"])
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
