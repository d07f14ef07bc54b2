"""Where runs are looked for, and which places are refused."""

import pytest

from dropout_lab.errors import TrackingError
from dropout_lab.tracking import connect, locate


def test_default_store_is_mlflows_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    location = locate()
    assert location.file == tmp_path / "mlflow.db"
    assert location.artifact_root == tmp_path / "mlruns"
    assert location.is_default


def test_another_file_keeps_its_artifacts_beside_it(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/deep/runs.db")
    assert locate().artifact_root == tmp_path / "deep" / "mlruns"
    assert not locate().is_default
    connect("new folder")
    assert (tmp_path / "deep" / "runs.db").exists()


def test_runs_in_mlflows_old_file_format(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mlruns" / "0").mkdir(parents=True)
    (tmp_path / "mlruns" / "0" / "meta.yaml").write_text("name: Default\n")
    with pytest.raises(TrackingError, match="old file format") as caught:
        connect("any")
    assert "migrate-filestore" in str(caught.value)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db")  # the way out that the message names
    assert locate().file == tmp_path / "mlflow.db"
