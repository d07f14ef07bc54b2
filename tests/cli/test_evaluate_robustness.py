"""Shifts, outside inputs and weighted pooling from a spec to metrics, tables, plots and a comparison."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SPEC = """\
name: tiny
training: {epochs: 1, batch_size: 50}
data: {num_train: 100, num_test: 50}
model: {filters: [4, 8], hidden_units: 16}
evaluation: {mc_samples: 2, shift: blur, ood: digits, pooling: true}
conditions: {none: {model: {dropout: 0}}, half: {model: {dropout: 0.5}}}
seeds: 2
"""
ASKED = ("--mc-samples", "2", "--shift", "blur", "--ood", "digits", "--pooling")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("evaluated")
    (path / "tiny.yaml").write_text(SPEC)
    result = call(path, "run", "tiny.yaml")
    assert result.returncode == 0, result.stderr
    return path


def call(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dropout_lab", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)


@pytest.mark.slow
def test_runs_have_the_metrics_of_their_spec_and_are_drawn(folder: Path) -> None:
    result = call(folder, "evaluate", "tiny", *ASKED, "--plots", "plots", "--format", "json")
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert [one["method"] for one in found["conditions"] if one["condition"] == "half"] == [
        *("plain", "weighted pooling", "MC dropout", "ensemble"),
    ]
    for one in found["runs"]:
        assert not one["evaluated_now"]
        assert {"shift_accuracy_blur_5", "ood_auroc_digits", "pwp_loss"} <= one["metrics"].keys()
    names = {path.name for path in (folder / "plots").glob("*.svg")}
    assert {"shift_accuracy.svg", "entropy-half-dark.svg", "uncertain_images-none.svg"} <= names
    assert "already evaluated" in result.stderr


@pytest.mark.slow
def test_a_comparison_judges_them(folder: Path) -> None:
    result = call(folder, "compare", "tiny", "--reference", "none", "--metric", "shift_accuracy_blur")
    assert result.returncode == 0, result.stderr
    assert "shift accuracy blur" in result.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--shift", "blu"), "shift: unknown name 'blu' (did you mean 'blur'?) (allowed: all, noise, blur,"),
        (("--ood", "cats"), "ood: unknown name 'cats' (allowed: all, digits, uniform,"),
    ],
)
def test_unknown_names_are_refused(folder: Path, arguments: tuple[str, ...], message: str) -> None:
    result = call(folder, "evaluate", "tiny", *arguments)
    assert result.returncode == 2
    assert message in result.stderr
    assert result.stdout == ""
