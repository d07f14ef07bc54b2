"""A store that version 0.1.0 wrote is read, shown and compared as one of this version."""

import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from dropout_lab.cli import app as command_line
from dropout_lab.comparison.confounds import ADDED
from dropout_lab.records import Design, RunStatus
from dropout_lab.runs.planning import plan_runs
from dropout_lab.spec import flatten, load_spec
from dropout_lab.tracking import find_model, load_test_probs, read_runs
from dropout_lab.tracking.reports import load_text

TEST_ACCURACY = {
    ("baseline", 0): 0.664,
    ("dropout", 0): 0.690,
    ("baseline", 1): 0.736,
    ("dropout", 1): 0.692,
}


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    """A folder with the store, which has moved since its runs were logged."""
    folder = tmp_path_factory.mktemp("old_store")
    with tarfile.open(repository / "tests" / "fixtures" / "store-0.1.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.fixture(autouse=True)
def old_store(unpacked: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder has the store; tests only read it."""
    monkeypatch.chdir(unpacked)
    return unpacked


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run the command line and return its stdout."""

    def run(*arguments: str) -> str:
        monkeypatch.setattr("sys.argv", ["dropout-lab", *arguments])
        code = command_line._main()
        out, err = capsys.readouterr()
        assert code == 0, err
        return out

    return run


def test_every_fact_is_read() -> None:
    runs = read_runs("smoke", histories=["loss", "val_accuracy"])
    assert {(run.condition, run.seed): run.metrics["test_accuracy"] for run in runs} == pytest.approx(
        TEST_ACCURACY
    )
    run = next(run for run in runs if run.run_name == "dropout-seed0")
    assert run.run_id == "17cad9ab989d451abebccf557c3703fa"
    assert run.status is RunStatus.FINISHED
    assert (run.initial_weights, run.batch_order) == ("ee211a4ff8a7aea6", "30d9f7d7a3a87c10")
    assert (run.final_weights, run.code) == ("498c5add508e47f9", "5e5e0594f1fc06db")
    assert run.data_digest == "b5d9536573ed81795ee65a86c9e9b29b73ec"
    assert (run.engine, run.device, run.device_name) == ("fast", "/CPU:0", "Intel(R) Xeon(R) Processor")
    assert (run.num_threads, run.instruction_set, run.onednn) == ("2", "AVX512_AMX", "on")
    assert run.versions == {
        "dropout_lab": "0.1.0", "python": "3.11.7", "tensorflow": "2.21.0", "keras": "3.15.1",
        "numpy": "2.4.6", "mlflow": "3.17.2",
    }  # fmt: skip
    assert (run.git_commit, run.claims_fingerprint) == ("", "")
    assert run.design == Design(first=2, most=2, num_conditions=2)
    assert run.description == "A small run of everything, to see that the machine is set up."
    assert run.history["loss"] == pytest.approx((1.8677, 1.2010), abs=1e-4)
    assert run.history["val_accuracy"] == pytest.approx((0.614, 0.69))


def test_its_runs_are_those_of_the_spec_today(repository: Path) -> None:
    planned = {run.name: run for run in plan_runs(load_spec(repository / "experiments" / "smoke.yaml"))}
    runs = {run.run_name: run for run in read_runs("smoke")}
    assert planned.keys() == runs.keys()
    for name, run in runs.items():
        assert run.spec_fingerprint == planned[name].spec_fingerprint
        assert dict(run.spec) | ADDED == flatten(planned[name].settings)


def test_artifacts_are_found_where_the_store_is_now(old_store: Path) -> None:
    run = read_runs("smoke")[0]
    probs, labels = load_test_probs(run)
    assert (probs.shape, labels.shape) == ((500, 10), (500,))
    assert float((probs.argmax(axis=1) == labels).mean()) == pytest.approx(run.metrics["test_accuracy"])
    assert "conditions:" in load_text(run, "spec/given.yaml")
    model = find_model(run)
    assert model is not None
    assert Path(model.address).is_relative_to(old_store)
    assert not model.is_missing


def test_it_is_compared(printed: Callable[..., str]) -> None:
    compared = json.loads(printed("compare", "smoke", "--format", "json"))
    assert compared["conditions"] == ["baseline", "dropout"]
    verdict = next(one for one in compared["verdicts"] if one["is_primary"])
    assert verdict["word"] == "undecided"
    difference = next(one for one in compared["differences"] if one["metric"] == "test_accuracy")
    assert difference["n"] == 2
    assert difference["mean_difference"] == pytest.approx(((0.690 - 0.664) + (0.692 - 0.736)) / 2)
    assert compared["findings"] == []


def test_its_runs_are_listed_shown_and_diffed(printed: Callable[..., str]) -> None:
    listed = json.loads(printed("runs", "smoke", "--format", "json"))
    assert {(run["condition"], run["seed"]) for run in listed} == TEST_ACCURACY.keys()
    shown = json.loads(printed("show", "dropout-seed0", "--format", "json"))
    assert shown["metrics"]["test_accuracy"] == pytest.approx(0.69)
    assert shown["metrics"]["dropped_fraction_dropout_2"] == pytest.approx(0.5, abs=0.01)
    differs = json.loads(printed("diff", "baseline-seed0", "dropout-seed0", "--format", "json"))["differs"]
    assert differs["run"] == {"condition": ["baseline", "dropout"]}
    assert set(differs["spec"]) == {f"model.dropout.{site}" for site in ("conv1", "conv2", "dense")}
