"""``dropout-lab evaluate`` prints the table of conditions, and says what it did not do."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import dropout_lab as dl

FINISHED = {"training": {"epochs": 1, "batch_size": 50}, "data": {"num_train": 200, "num_test": 60}}


def evaluate(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dropout_lab", "evaluate", *arguments],
        cwd=folder,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli")
    conditions = {"none": {"model": {"dropout": 0}}, "half": {"model": {"dropout": 0.5}}}
    model = {"filters": (2, 4), "hidden_units": 8}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        dl.run(dl.Spec(name="study", conditions=conditions, model=model, seeds=2, **FINISHED), progress=False)
    return folder


@pytest.mark.slow
def test_an_experiment_is_evaluated_once_and_compared_afterwards(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = evaluate(folder, "study", "--mc-samples", "4")
    assert first.returncode == 0, first.stderr
    assert first.stdout.startswith("Confidence of study")
    assert sum("MC dropout" in line for line in first.stdout.splitlines()) == 2
    assert sum("ensemble" in line for line in first.stdout.splitlines()) == 2
    assert "(4 of 4)" in first.stderr
    assert "3 more runs: no temperature scaling: the validation set is the test set" in first.stderr
    second = evaluate(folder, "study", "--mc-samples", "4", "--format", "json")
    assert "4 runs already evaluated" in second.stderr
    content = json.loads(second.stdout)
    assert [(one["condition"], one["method"]) for one in content["conditions"]] == [
        (condition, method)
        for condition in ("none", "half")
        for method in ("plain", "MC dropout", "ensemble")
    ]
    assert not any(run["evaluated_now"] for run in content["runs"])
    assert content["failures"] == []
    one = evaluate(folder, "study/half-seed1", "--mc-samples", "3", "--quiet")
    assert one.stderr == ""
    assert "half" in one.stdout
    assert "none" not in one.stdout
    monkeypatch.chdir(folder)
    with pytest.raises(dl.DropoutLabError, match=r"4 \(seed 0\), 3 \(seed 1\)"):
        dl.compare("study", primary="mc_loss")
    result = dl.evaluate("study", mc_samples=4)
    assert repr(result) == "EvaluationResult(1 evaluated, 3 skipped, 0 failed)"
    assert result.table["method"].tolist() == ["plain", "MC dropout", "ensemble"] * 2
    compared = dl.compare("study", primary="mc_loss", metrics=["mc_ece", "test_aurc"]).comparison
    assert compared.primary == "mc_loss"
    assert compared.verdict("half", "test_aurc").metric == "test_aurc"
    assert compared.difference("half", "mc_loss").margin == 0.01


@pytest.mark.slow
def test_a_name_that_is_neither_run_nor_experiment_is_invalid(folder: Path) -> None:
    result = evaluate(folder, "stud")
    assert result.returncode == 2
    assert "No run has the id or the name 'stud'" in result.stderr
    assert "Experiments: study" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_run_that_was_repeated_counts_once(repeated_runs: list[str]) -> None:
    result = dl.evaluate("study", note=lambda _: None)
    assert [run.run_id for run in result.runs] == repeated_runs[1:]
    assert result.table[["method", "num_seeds", "accuracy"]].values.tolist() == [["plain", 1, 0.9]]


@pytest.mark.parametrize("count", [1, 0, -3, 10_001, 2.5, "many", True])
def test_a_number_of_samples_out_of_range_is_invalid(count: object) -> None:
    with pytest.raises(dl.DropoutLabError, match="mc_samples") as error:
        dl.evaluate("study", mc_samples=count)  # type: ignore[arg-type]
    assert error.value.exit_code == 2
