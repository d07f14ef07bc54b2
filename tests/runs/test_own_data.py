"""Runs on data of the user's: interrupted, refused after an edit, resumed, and logged under their name."""

import json
import sys
from pathlib import Path

import pytest

from dropout_lab.records import RunRecord
from dropout_lab.runs.executor import execute_runs, resume_runs
from dropout_lab.runs.planning import PlannedRun, plan_runs
from dropout_lab.runs.workspace import workspaces
from dropout_lab.spec import load_spec
from dropout_lab.tracking import locate, read_runs

LOAD = """
import numpy as np
def load(num=90):
    y = np.array(["cat", "emu", "owl"])[np.arange(num) % 3]
    x = np.random.default_rng(0).normal(size=(num, 8, 8, 1))
    return (x[:60], y[:60]), (x[60:], y[60:])
"""


@pytest.fixture
def run(lab: Path, monkeypatch: pytest.MonkeyPatch) -> PlannedRun:
    """A short run on what a function in data.py of the current folder returns."""
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    (lab / "data.py").write_text(LOAD)
    (lab / "own.yaml").write_text(
        "name: own\nexperiment: own data\ndata: {dataset: 'data.py:load', arguments: {num: 93}}\n"
        "training: {epochs: 3, batch_size: 20}\nmodel: {filters: [2, 2], hidden_units: 4}\n"
    )
    return plan_runs(load_spec(lab / "own.yaml"))[0]


def logged() -> RunRecord:
    (record,) = read_runs("own data")
    return record


def test_an_interrupted_run_continues_with_the_same_function(run, lab, make_listener):  # type: ignore[no-untyped-def]
    listener = make_listener(stop_after=1)
    assert execute_runs([run], listener, listener.stop).interrupted
    listener = make_listener()
    (lab / "data.py").write_text(LOAD.replace("% 3]", "% (3 + 0)]"))
    (failure,) = resume_runs(workspaces(), listener, listener.stop).failures
    assert "cannot continue: data.code " in failure.message
    (lab / "data.py").write_text(LOAD.replace("default_rng(0)", "default_rng(1)"))
    (failure,) = resume_runs(workspaces(), listener, listener.stop).failures
    assert "cannot continue: other data; data.code " in failure.message
    (lab / "data.py").rename(lab / "gone.py")
    (failure,) = resume_runs(workspaces(), listener, listener.stop).failures
    assert "its data cannot be loaded (data.dataset: file 'data.py' not found" in failure.message
    (lab / "data.py").write_text(f"{LOAD}# the same again\n")
    (outcome,) = resume_runs(workspaces(), listener, listener.stop).outcomes
    record = logged()
    assert record.run_id == outcome.run_id
    assert record.class_names == ("cat", "emu", "owl")
    assert record.spec["data.arguments.num"] == "93"
    assert len(record.spec["data.code"]) == 16
    assert "data.folder" not in record.spec

    import mlflow

    inputs = mlflow.MlflowClient(locate().uri).get_run(record.run_id).inputs.dataset_inputs
    assert sorted(one.dataset.name for one in inputs) == ["data.py:load_test", "data.py:load_train"]
    assert json.loads(inputs[0].dataset.source) == {"uri": "data.py:load"}


SEQUENCES = """
import keras
import numpy as np
def load():
    y = np.arange(60) % 2
    x = np.random.default_rng(0).integers(1, 9, (60, 5))
    return (x[:40], y[:40]), (x[40:], y[40:])
def build(input_shape, num_classes):
    layers = keras.layers
    head = layers.Dense(num_classes, activation="softmax")
    return keras.Sequential([keras.Input(input_shape), layers.Embedding(9, 2), layers.Flatten(), head])
"""


def test_integer_sequences_are_trained_on_and_logged(lab, make_listener, monkeypatch):  # type: ignore[no-untyped-def]
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    (lab / "seq.py").write_text(SEQUENCES)
    (lab / "seq.yaml").write_text(
        "name: seq\nexperiment: own data\ndata: {dataset: 'seq.py:load'}\nmodel: {network: 'seq.py:build'}\n"
        "training: {epochs: 1, batch_size: 20}\n"
    )
    listener = make_listener()
    execute_runs(plan_runs(load_spec(lab / "seq.yaml")), listener, listener.stop).raise_problems()
    assert logged().metrics["test_accuracy"] >= 0
