"""Kinds of dropout from the command line: killed, continued, compared, and loaded without dropout_lab."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dropout_lab.records import RunStatus
from dropout_lab.tracking import read_runs

Command = Callable[..., subprocess.Popen[str]]

SPEC = """\
name: kinds
experiment: kinds
training: {epochs: 2, batch_size: 50}
data: {num_train: 250, num_test: 100}
model: {filters: [2, 3], hidden_units: 4}
conditions:
  baseline: {model: {dropout: 0}}
  all:
    model:
      dropout:
        conv1: {kind: dropblock, rate: 0.1, block_size: 3}
        conv2: {kind: concrete, rate: 0.2}
        dense: {kind: dropconnect, rate: 0.3}
  known:
    model:
      dropout:
        conv1: {kind: spatial, rate: 0.1}
        conv2: {kind: gaussian, rate: 0.2}
        dense: {kind: alpha, rate: 0.3}
  own: {model: {network: 'own.py:build', dropout: {branch: {kind: stochastic_depth, rate: 0.4}}}}
"""

OWN = """\
from keras import Input, Model, layers


def build(input_shape, num_classes):
    images = Input(input_shape)
    values = layers.Dense(8)(layers.Flatten()(images))
    branch = layers.Dropout(0.1, name="branch")(layers.Dense(8, activation="relu")(values))
    return Model(images, layers.Dense(num_classes)(layers.Add()([values, branch])))
"""

ELSEWHERE = """\
import sys, keras, mlflow, numpy as np
store, *uris = sys.argv[1:]
mlflow.set_tracking_uri(store)
for uri in uris:
    model = mlflow.pyfunc.load_model(uri)
    probs = np.asarray(model.predict(model.input_example))
    file = mlflow.artifacts.download_artifacts(uri) + "/data/model.keras"
    for other in (mlflow.keras.load_model(uri), keras.saving.load_model(file)):
        np.testing.assert_allclose(other.predict(model.input_example, verbose=0), probs, rtol=1e-5)
assert "dropout_lab" not in sys.modules
"""


def finish(process: subprocess.Popen[str], code: int = 0) -> str:
    out, err = process.communicate(timeout=1800)
    assert process.returncode == code, err
    return out + err


@pytest.mark.slow
def test_runs_with_kinds_end_as_if_they_had_not_been_killed(lab: Path, command: Command) -> None:
    (lab / "kinds.yaml").write_text(SPEC)
    (lab / "own.py").write_text(OWN)
    finish(command("run", "kinds.yaml", "--set", "experiment=whole"))
    process = command("run", "kinds.yaml", "--set", "experiment=killed")
    assert process.stderr is not None
    for line in process.stderr:
        if "[2/4]" in line:
            break
    process.kill()
    process.communicate()
    finish(command("run", "kinds.yaml", "--set", "experiment=killed"))

    whole, killed = ({run.condition: run for run in read_runs(name)} for name in ("whole", "killed"))
    assert {run.status for run in killed.values()} == {RunStatus.FINISHED}
    for condition, run in whole.items():
        assert killed[condition].final_weights == run.final_weights, condition
    for condition in ("all", "known"):
        assert whole[condition].initial_weights == whole["baseline"].initial_weights
        assert whole[condition].batch_order == whole["baseline"].batch_order
    assert whole["all"].spec["model.dropout.conv1.kind"] == "dropblock"
    assert 0 < whole["all"].metrics["dropout_rate_conv2"] < 1

    elsewhere = lab / "elsewhere"
    elsewhere.mkdir()
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run(
        [
            *[sys.executable, "-c", ELSEWHERE],
            f"sqlite:///{lab / 'mlflow.db'}",
            *[f"runs:/{run.run_id}/{run.condition}" for run in whole.values()],
        ],
        cwd=elsewhere,
        env=environment,
        check=True,
        timeout=600,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("override", "problem"),
    [
        ("conditions.all.model.dropout.dense.kind=spatial", "all: model.dropout.dense.kind: spatial drops"),
        ("conditions.all.model.dropout.dense.kind=spatil", "did you mean 'spatial'?"),
        ("conditions.all.model.dropout.conv1.block_size=40", "dropblock drops squares of 40 x 40, but conv1"),
        ("conditions.own.model.dropout.branch.block_size=3", "does not apply to the kind stochastic_depth"),
    ],
)
def test_what_is_wrong_is_named_before_anything_is_trained(
    lab: Path, command: Command, override: str, problem: str
) -> None:
    (lab / "kinds.yaml").write_text(SPEC)
    (lab / "own.py").write_text(OWN)
    out = finish(command("run", "kinds.yaml", "--set", override), code=2)
    assert problem in " ".join(out.split())
    assert "Traceback" not in out
    assert "[1/" not in out
