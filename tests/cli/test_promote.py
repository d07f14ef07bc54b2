"""`dropout-lab promote` says which version a run has become."""

import json
import shutil

import pytest

from dropout_lab.cli.completion import complete_model
from dropout_lab.cli.console import TextOrJson
from dropout_lab.cli.promote import promote
from dropout_lab.errors import UsageError


def test_the_version_is_told_and_completed(logged_runs, tmp_path, monkeypatch, capsys):
    shutil.copy(logged_runs[0] / "mlflow.db", tmp_path)
    monkeypatch.chdir(tmp_path)
    promote("dropout-seed0", name="clothes", alias="champion")
    output = capsys.readouterr().out
    run_id = logged_runs[1]["dropout-seed0"]
    expected = f"dropout-seed0 ({run_id[:8]}) is now version 1 of clothes, alias champion.\n"
    assert output.startswith(expected)
    assert "dropout-lab predict clothes@champion IMAGE" in output
    assert "mlflow models serve -m models:/clothes@champion --env-manager local" in output
    promote("dropout-seed0", name="clothes", alias="champion", format_=TextOrJson.JSON)
    printed = json.loads(capsys.readouterr().out)
    assert (printed["version"], printed["is_new"], printed["run"]) == (1, False, run_id)
    assert complete_model("clo") == ["clothes@champion"]
    assert complete_model("drop") == ["dropout-seed0"]
    promote("dropout-seed0", name="my clothes", alias="champion")
    output = capsys.readouterr().out
    assert "dropout-lab predict 'my clothes@champion' IMAGE" in output
    assert "-m 'models:/my clothes@champion' --env" in output
    with pytest.raises(UsageError, match="has no model"):
        promote("baseline-seed0", name="clothes", alias="champion")
