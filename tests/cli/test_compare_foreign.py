"""`compare --group-by` on an experiment that dropout_lab did not make."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dropout_lab.cli import app as command_line

SCRIPT = """
import os
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras, mlflow, numpy as np
mlflow.set_tracking_uri("sqlite:///mlflow.db")
mlflow.set_experiment("mine")
mlflow.keras.autolog(log_models=False, log_datasets=False)
rng = np.random.default_rng(0)
x, y = rng.normal(size=(128, 8)).astype("float32"), rng.integers(0, 3, 128)
for seed in range(3):
    for dropout in (0.0, 0.5):
        keras.utils.set_random_seed(seed)
        dense = keras.layers.Dense(8, activation="relu")
        model = keras.Sequential([dense, keras.layers.Dropout(dropout), keras.layers.Dense(3)])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("adam", loss, metrics=["accuracy"])
        with mlflow.start_run():
            mlflow.log_params({"dropout": dropout, "seed": seed})
            model.fit(x, y, epochs=2, validation_split=0.5, verbose=0)
"""
Compare = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose tracking store holds six autologged runs."""
    folder = tmp_path_factory.mktemp("foreign")
    subprocess.run([sys.executable, "-c", SCRIPT], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def compare(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Compare:
    monkeypatch.chdir(folder)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["dropout-lab", "compare", *arguments])
        code = command_line._main()
        return code, *capsys.readouterr()

    return run


KEYS = ("mine", "--group-by", "params.dropout", "--metric", "val_accuracy")


def test_autologged_runs_are_compared_and_paired(compare: Compare) -> None:
    code, out, err = compare(*KEYS, "--pair-by", "params.seed", "--format", "json")
    assert code == 0, err
    found = json.loads(out)
    assert found["conditions"] == ["dropout=0.0", "dropout=0.5"]
    assert found["primary"] == "val_accuracy"
    (difference,) = found["differences"]
    assert (difference["n"], difference["paired"]) == (3, True)
    assert found["findings"] == []
    assert any("not made by dropout_lab" in note for note in found["notes"])


def test_a_logged_report_is_no_run_of_theirs(compare: Compare) -> None:
    assert compare(*KEYS, "--pair-by", "params.seed", "--log")[0] == 0
    code, out, _ = compare(*KEYS, "--pair-by", "params.seed", "--format", "json")
    assert code == 0
    assert json.loads(out)["conditions"] == ["dropout=0.0", "dropout=0.5"]


def test_without_a_key_to_pair_by_runs_are_unpaired(compare: Compare) -> None:
    code, out, _ = compare(*KEYS, "--format", "json")
    assert code == 0
    assert not json.loads(out)["differences"][0]["paired"]


def test_the_guard_works_on_their_params(compare: Compare) -> None:
    code, _, err = compare("mine", "--group-by", "params.seed", "--metric", "val_accuracy")
    assert code == 2
    assert "params.dropout differs" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["mine", "--group-by", "params.dropuot"], "did you mean 'params.dropout'"),
        (["mine", "--group-by", "dropout"], "Write it as params.NAME or tags.NAME."),
        (["mine", "--group-by", "params.dropout"], "Available metrics"),
        (["mine", "--pair-by", "params.seed"], "--pair-by: needs --group-by"),
        (["other", "--group-by", "params.dropout"], "mine"),
    ],
)
def test_what_does_not_exist_is_named(compare: Compare, arguments: list[str], message: str) -> None:
    code, _, err = compare(*arguments)
    assert code == 2
    assert message in err
