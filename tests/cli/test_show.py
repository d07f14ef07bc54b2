import json
import math
from pathlib import Path

import pytest

from dropout_lab.cli import app as command_line
from dropout_lab.cli.console import TextOrJson
from dropout_lab.cli.show import show, sparkline
from dropout_lab.errors import UsageError
from dropout_lab.tracking import connect


@pytest.fixture
def ids(logged_runs, monkeypatch):
    folder, ids = logged_runs
    monkeypatch.chdir(folder)
    return ids


@pytest.mark.parametrize(
    ("values", "bars"),
    [
        ([0.0, 0.5, 1.0], "▁▅█"),
        ([3.0, 2.0, 1.0], "█▅▁"),
        ([2.0, 2.0], "▁▁"),
        ([1.0, math.nan, 2.0, math.inf], "▁?█?"),
        ([math.nan], "?"),
        ([], ""),
    ],
)
def test_sparkline(values, bars):
    assert sparkline(values) == bars


def test_a_long_sparkline_is_thinned_and_keeps_its_ends():
    bars = sparkline([float(value) for value in range(1000)], max_bars=8)
    assert bars == "▁▂▃▄▅▆▇█"


def lines_of(text: str) -> dict[str, str]:
    """The indented lines by their label."""
    parts = (line.strip().split("  ", 1) for line in text.splitlines() if line.startswith("  "))
    return {label: value.strip() for label, value in parts}


def test_one_run_is_shown_with_all_that_was_logged(ids, capsys):
    show("dropout-seed0")
    output = capsys.readouterr().out
    assert output.startswith("FINISHED  dropout-seed0\nThe published network.\n")
    lines = lines_of(output)
    assert lines["run ID"] == ids["dropout-seed0"]
    assert lines["model.dropout.dense"] == "0.5"
    assert "data.folder" not in lines
    assert lines["loss, dropout on"] == "█▃▁  1.0000 -> 0.3333"
    assert lines["accuracy, dropout on"] == "▁▆█  50.00% -> 83.33%"
    assert lines["test accuracy"] == "95.00%"
    assert lines["0 T-shirt/top"] == "75.00%"
    assert "/mlruns/study/models/m-" in lines["folder"]
    assert "(missing:" in lines["folder"]  # only its entry was made
    assert lines["start"] == "dropout-lab ui"
    assert lines["open"].endswith(f"/runs/{ids['dropout-seed0']}?workflowType=machine_learning")
    assert "system/" not in output


def test_default_settings_are_details(ids, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["dropout-lab", "show", "dropout-seed0", "--verbose"])
    assert command_line._main() == 0
    assert lines_of(capsys.readouterr().out)["data.folder"] == "(not set)"


def test_a_run_without_a_model_says_so(ids, capsys):
    show(ids["baseline-seed0"][:8])
    assert lines_of(capsys.readouterr().out)["model"] == "not logged"


def test_json_has_all_of_the_run(ids, capsys):
    show("dropout-seed0", TextOrJson.JSON)
    shown = json.loads(capsys.readouterr().out)
    assert shown["run_id"] == ids["dropout-seed0"]
    assert shown["status"] == "FINISHED"
    assert shown["history"]["loss"] == [1, 1 / 2, 1 / 3]
    assert shown["metrics"]["test_accuracy"] == 0.9 + 0.5 / 10
    assert shown["model"]["uri"] == f"runs:/{ids['dropout-seed0']}/model"
    assert shown["address"].startswith("http://127.0.0.1:5000/#/experiments/")


def test_a_name_cannot_command_the_terminal(ids, capsys):
    hostile = next(run_id for name, run_id in ids.items() if "evil" in name)
    show(hostile)
    output = capsys.readouterr().out
    assert "\x1b" not in output
    assert "[red]evil\\x1b[31m[/red]" in output


def test_an_unknown_run_is_told_with_the_nearest_name(ids):
    with pytest.raises(UsageError, match=r"dropout-seed1.*did you mean 'dropout-seed0'"):
        show("dropout-seed1")


def test_a_model_is_shown_with_the_call_that_loads_it(ids, capsys):
    show("dropout-seed0", TextOrJson.JSON)
    folder = Path(json.loads(capsys.readouterr().out)["model"]["location"])
    folder.mkdir(parents=True)
    try:
        show("study/dropout-seed0")
    finally:
        folder.rmdir()
    lines = lines_of(capsys.readouterr().out)
    assert lines["folder"] == str(folder)
    assert f"runs:/{ids['dropout-seed0']}/model" in lines["load"]


def test_secrets_in_params_are_not_shown(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    tracker = connect("study")
    tags = {
        "dropout_lab.condition": "dropout",
        "dropout_lab.seed": "0",
        "mlflow.note.content": "from postgresql://h/d?user=u&password=s3cret",
    }
    run_id = tracker.client.create_run(tracker.experiment_id, run_name="run", tags=tags).info.run_id
    tracker.client.log_param(run_id, "data.url", "https://user:pa/s3cret@host/x?token=s3cret")
    show("run")
    show("run", TextOrJson.JSON)
    output = capsys.readouterr().out
    assert "s3cret" not in output
    assert "https://***@host/x?token=***" in output
