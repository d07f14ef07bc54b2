"""Conditions with other regularizers, from a killed process to a verdict, on a network of the user's."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from dropout_lab.records import RunStatus
from dropout_lab.tracking import read_runs

Command = Callable[..., subprocess.Popen[str]]

SPEC = """\
name: case
experiment: case
model: {network: 'own.py:build'}
training: {epochs: 6, batch_size: 32, optimizer: sgd, learning_rate: 0.05, momentum: 0.9}
data: {dataset: digits, num_train: 200, num_test: 100, validation: 40}
conditions:
  baseline: {}
  penalized: {model: {dropout: {drop: 0.5}}, training: {l2: 0.001, max_norm: 1}}
  changed:
    training:
      augmentation: {translation: 0.1, crop: 1}
      early_stopping: {patience: 1}
      learning_rate_schedule: {shape: cosine, warmup_epochs: 0.5}
"""

OWN = """\
import keras
import numpy as np
from keras import layers


def build(input_shape, num_classes):
    images = keras.Input(input_shape)
    x = layers.BatchNormalization()(layers.Conv2D(4, 3)(images))
    x = layers.Dropout(0.0, name="drop")(layers.Flatten()(layers.ReLU()(x)))
    return keras.Model(images, layers.Dense(num_classes)(x))


def tokens():
    labels = np.arange(120) % 3
    return np.random.default_rng(0).integers(0, 20, (120, 8)) + 10 * labels[:, None], labels
"""


def finish(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=1800)
    assert process.returncode == 0, err
    return out + err


@pytest.mark.slow
def test_a_killed_study_ends_as_if_it_had_not_been_and_is_compared(lab: Path, command: Command) -> None:
    (lab / "own.py").write_text(OWN)
    (lab / "case.yaml").write_text(SPEC)
    told = finish(command("run", "case.yaml", "--set", "experiment=whole"))
    process = command("run", "case.yaml", "--set", "experiment=killed")
    assert process.stderr is not None
    for line in process.stderr:
        if "changed-seed0 (" in line:
            break
    for line in process.stderr:
        if "epoch 2/6" in line:
            break
    process.kill()
    process.communicate()
    finish(command("run", "case.yaml", "--set", "experiment=killed"))

    whole, killed = ({run.run_name: run for run in read_runs(name)} for name in ("whole", "killed"))
    assert len(whole) == 3
    for name, run in whole.items():
        assert killed[name].status is RunStatus.FINISHED
        assert killed[name].final_weights == run.final_weights, name
        assert (run.initial_weights, run.batch_order) == (
            whole[f"baseline-seed{run.seed}"].initial_weights,
            whole[f"baseline-seed{run.seed}"].batch_order,
        )
    assert len({run.final_weights for run in whole.values()}) == 3
    changed = whole["changed-seed0"]
    assert changed.design is not None
    assert set(changed.design.varying) == {
        *("model.dropout*", "training.l2", "training.max_norm", "training.augmentation"),
        *("training.early_stopping", "training.learning_rate_schedule"),
    }
    assert 1 <= changed.metrics["best_epoch"] <= 6
    assert f"changed-seed0: weights of epoch {changed.metrics['best_epoch']:.0f} restored" in told
    assert "best_epoch" not in whole["baseline-seed0"].metrics

    out = " ".join(finish(command("compare", "killed")).split())
    assert "Several settings at once (training.augmentation, training.early_stopping, " in out
    assert "cannot be compared" not in out
    assert "best epoch" in finish(command("show", changed.run_id))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("data.validation=test", "[conditions.changed.training.early_stopping] needs a validation split"),
        ("training.weight_deca=1", "unknown key 'weight_deca' (did you mean 'weight_decay'?)"),
        ("data={dataset: 'own.py:tokens'}", "training.augmentation: inputs of shape (8,) from own.py:tokens"),
        ("conditions.changed.training.augmentation.crop=8", "training.augmentation.crop: invalid value: 8"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_anything_starts(
    lab: Path, command: Command, change: str, message: str
) -> None:
    (lab / "own.py").write_text(OWN)
    (lab / "case.yaml").write_text(SPEC)
    before = {path.name for path in lab.iterdir()}
    more = () if "tokens" not in change else ("--set", "data.validation=0.2")
    for dry in ((), ("--dry-run",)):
        process = command("run", "case.yaml", "--set", change, *more, *dry)
        _, err = process.communicate(timeout=600)
        assert process.returncode == 2, err
        assert message in " ".join(err.split())
        assert "Traceback" not in err
    assert {path.name for path in lab.iterdir()} - before <= {"__pycache__"}
    assert read_runs("tiny") == []
