"""`dropout-lab run` as a user sees it, in a process of its own."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

SPEC = """\
name: tiny
training: {epochs: 1, batch_size: 50}
data: {num_train: 100, num_test: 50}
model: {filters: [4, 8], hidden_units: 16, dropout: 0.5}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tiny.yaml").write_text(SPEC)
    return tmp_path


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dropout_lab", "run", "tiny.yaml", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)


def test_a_run_from_an_empty_folder_to_its_result(folder: Path) -> None:
    result = run(folder, "--format", "json", "--seeds", "3,4")
    assert result.returncode == 0, result.stderr
    runs = json.loads(result.stdout)
    assert [one["run_name"] for one in runs] == ["tiny-seed3", "tiny-seed4"]
    assert all(0 <= one["metrics"]["test_accuracy"] <= 1 for one in runs)
    assert all("workflowType=machine_learning" in one["address"] for one in runs)
    told = result.stderr.splitlines()
    assert [re.split(r" \(| engine|(?<=loss) ", line)[0] for line in told] == [
        "Training with the fast",
        "[1/2] tiny-seed3",
        "  epoch 1/1  loss",
        "[2/2] tiny-seed4",
        "  epoch 1/1  loss",
    ], "third-party log lines belong neither on stdout nor on stderr"
    assert {path.name for path in folder.iterdir()} == {"tiny.yaml", "mlflow.db", "mlruns"}

    (folder / "same.yaml").write_text(SPEC)
    again = run(folder, "same.yaml", "--seeds", "3,4")
    assert again.returncode == 0
    assert "[4/4] tiny-seed4: already finished (" in again.stderr
    assert "tiny-seed3: already finished (" in again.stderr
    assert again.stdout.splitlines()[-1] == "View: dropout-lab ui", (
        "one condition has nothing to compare with"
    )


def test_a_dry_run_shows_what_would_be_trained_and_trains_nothing(folder: Path) -> None:
    result = run(folder, "--dry-run", "--set", "training.epochs=7", "--seeds", "2")
    assert result.returncode == 0, result.stderr
    for seed in (0, 1):
        assert re.search(rf"^tiny-seed{seed} +unknown$", result.stdout, re.MULTILINE)
    for site in ("conv1", "conv2", "dense"):
        assert re.search(rf"^{site} +Dropout +.* 0\.5$", result.stdout, re.MULTILINE)
    assert result.stdout.count("epochs: 7") == 1
    assert result.stdout.count("zero_padding2d_1 (ZeroPadding2D)") == 1
    assert [path.name for path in folder.iterdir()] == ["tiny.yaml"]


def test_a_missing_gpu_is_told_before_anything_is_trained(folder: Path) -> None:
    result = run(folder, "--device", "gpu:7")
    assert result.returncode == 2
    assert "device 'gpu:7' not available" in result.stderr
    assert "Traceback" not in result.stderr


def test_an_unreachable_server_is_told_before_anything_is_trained(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://user:secret@127.0.0.1:9")
    result = run(folder)
    assert result.returncode == 1
    assert "does not answer" in result.stderr
    assert "secret" not in result.stderr
    assert [path.name for path in folder.iterdir()] == ["tiny.yaml"]
