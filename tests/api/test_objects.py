"""`run` with a network and arrays from Python."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import dropout_lab as dl
from dropout_lab.api import running
from dropout_lab.runs.display import RunDisplay

RNG = np.random.default_rng(0)
Y = RNG.integers(0, 3, 120)
X = (RNG.normal(size=(120, 4)) + Y[:, None]).astype("float32")
DATA = (X[:80], Y[:80], X[80:], Y[80:])


def build(input_shape: tuple[int, ...], num_classes: int) -> keras.Model:
    """Make a network with one dropout site."""
    return keras.Sequential(
        [
            keras.Input(input_shape),
            keras.layers.Dense(8, activation="relu"),
            keras.layers.Dropout(0.5, name="top"),
            keras.layers.Dense(num_classes, activation="softmax"),
        ]
    )


OPTIONS: dict[str, Any] = {
    "model": build,
    "data": DATA,
    "conditions": {"none": 0.0, "as_built": "as_built", "low": {"top": 0.1}},
    "epochs": 1,
    "batch_size": 20,
    "progress": False,
}


def test_a_network_and_arrays_from_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = dl.run(**OPTIONS, seeds=2)
    assert result.experiment == "build"
    assert len(result.runs) == 6
    again = dl.run(**OPTIONS, seeds=2)
    assert again.runs["was_finished"].all(), "equal objects are the same runs"
    compared = result.compare(reference="none")
    assert {one.condition for one in compared.verdicts} == {"as_built", "low"}
    assert {path.suffix for path in (tmp_path / "mlruns/.dropout_lab/given").iterdir()} == {".keras", ".npz"}


class Interrupting(RunDisplay):
    """Ends the process with a signal when training starts."""

    def started(self, *arguments: Any) -> None:
        raise KeyboardInterrupt


@pytest.mark.slow
def test_an_interrupted_run_is_resumed_without_the_objects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(running, "show_progress", lambda num_runs, progress, **_: Interrupting(num_runs))
        dl.run(**OPTIONS)
    command = [sys.executable, "-m", "dropout_lab", "resume"]
    resumed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert resumed.returncode == 0, resumed.stderr
    assert dl.load_runs()["status"].tolist() == ["FINISHED"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": 3}, "model: int"),
        ({"data": 3}, "data: not understood: int"),
        ({"conditions": {"none": 2.0}}, r"conditions.none.model.dropout.*2.0"),
        ({"conditions": {"none": {"topp": 0.1}}}, "did you mean 'top'"),
        ({"data": (X, Y + 0.5)}, "y_train"),
        ({"spec": "a.yaml"}, "model: not allowed with a spec"),
        ({"epochs": 0}, "training.epochs"),
    ],
)
def test_wrong_objects_are_told_before_anything_starts(
    options: dict[str, Any], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(dl.DropoutLabError, match=message) as caught:
        dl.run(**{**OPTIONS, **options})
    assert caught.value.exit_code == 2
    assert not list(tmp_path.rglob("*.npz")) or "did you mean" in message
    assert not (tmp_path / "mlflow.db").exists()


def test_nothing_to_train_is_an_error() -> None:
    with pytest.raises(dl.DropoutLabError, match="spec: missing"):
        dl.run(epochs=1)
