"""Other networks on other data, from a killed process to a verdict and a model that loads elsewhere."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dropout_lab.records import RunStatus
from dropout_lab.tracking import read_runs

Command = Callable[..., subprocess.Popen[str]]

HEAD = """\
name: case
experiment: case
seeds: 2
training: {epochs: 2, batch_size: 32}
conditions:
  none: {model: {dropout: 0}}
  dropout: {model: {dropout: RATE}}
"""

MLP = "data: {dataset: digits}\nmodel: {network: mlp, hidden: [32]}\n"

COLOR = "data: {dataset: images.npz}\nmodel: {network: 'own.py:mobile'}\n"

FOLDER = "data: {dataset: photos/, image_size: 16, test_split: 0.25}\nmodel: {network: lenet5}\n"

SEQUENCES = "data: {dataset: 'own.py:sequences'}\nmodel: {network: 'own.py:recurrent'}\n"

PATCHES = "data: {dataset: digits}\nmodel: {network: 'own.py:transformer'}\n"

OWN = '''\
"""Sequences, and three networks, two of them with dropout inside layers."""

import keras
import numpy as np
from keras import layers


def sequences():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 160)
    tokens = rng.integers(0, 20, (160, 8)) + 10 * labels[:, None]
    return (tokens[:120], labels[:120]), (tokens[120:], labels[120:])


def mobile(input_shape, num_classes):
    features = keras.applications.MobileNetV2(input_shape, include_top=False, weights=None, pooling="avg")
    x = layers.Dropout(0.2, name="top")(features.output)
    return keras.Model(features.input, layers.Dense(num_classes)(x))


def recurrent(input_shape, num_classes):
    tokens = keras.Input(input_shape, dtype="int64")
    x = layers.Embedding(60, 8, mask_zero=True)(tokens)
    x = layers.LSTM(8, dropout=0.2, recurrent_dropout=0.2)(x)
    return keras.Model(tokens, layers.Dense(num_classes)(x))


class Patches(layers.Layer):
    def call(self, images):
        patches = keras.ops.image.extract_patches(images, 2)
        return keras.ops.reshape(patches, (-1, 16, patches.shape[-1]))


def transformer(input_shape, num_classes):
    images = keras.Input(input_shape)
    x = layers.Dense(8)(Patches()(images))
    y = layers.LayerNormalization()(x)
    x = x + layers.MultiHeadAttention(2, 4, dropout=0.1, name="attention")(y, y)
    x = layers.BatchNormalization()(x)
    x = layers.Dropout(0.2, name="drop")(layers.Dense(16, activation="gelu")(x))
    return keras.Model(images, layers.Dense(num_classes)(layers.GlobalAveragePooling1D()(x)))
'''

ELSEWHERE = """\
import sys, keras, mlflow, numpy as np
uri, store = sys.argv[1:]
mlflow.set_tracking_uri(store)
model = mlflow.pyfunc.load_model(uri)
example = model.input_example
probs = np.asarray(model.predict(example))
assert probs.shape[0] == len(example) and np.isfinite(probs).all()
assert "dropout_lab" not in sys.modules
"""


STUDY = '''\
"""A program that trains the network in it."""

import keras


class Twice(keras.layers.Layer):
    def call(self, inputs):
        return 2 * inputs


def build(input_shape, num_classes):
    layers = [Twice(), keras.layers.Flatten(), keras.layers.Dropout(0.2), keras.layers.Dense(num_classes)]
    return keras.Sequential([keras.Input(input_shape), *layers])


if __name__ == "__main__":
    import dropout_lab as dl

    data = {"dataset": "digits"}
    spec = dl.Spec(name="study", data=data, model={"network": "study.py:build"}, training={"epochs": 1})
    assert not dl.run(spec, progress=False).failures
'''


def write_images(lab: Path) -> None:
    """Write small colour images of two brightnesses, as arrays and as files in folders by class."""
    from PIL import Image

    random = np.random.default_rng(0)
    labels = np.arange(96) % 3
    images = (random.integers(0, 100, (96, 32, 32, 3)) + 50 * labels[:, None, None, None]).astype(np.uint8)
    np.savez(
        lab / "images.npz", x_train=images[:64], y_train=labels[:64], x_test=images[64:], y_test=labels[64:]
    )
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        folder = lab / "photos" / f"class{label}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{number}.png")


def finish(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=1800)
    assert process.returncode == 0, err
    return out


def load_elsewhere(lab: Path, uri: str) -> None:
    """Load a logged model in a process that has neither the user's code nor dropout_lab, and use it."""
    elsewhere = lab / "elsewhere"
    elsewhere.mkdir()
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run(
        [sys.executable, "-c", ELSEWHERE, uri, f"sqlite:///{lab / 'mlflow.db'}"],
        cwd=elsewhere,
        env=environment,
        check=True,
        timeout=600,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("case", "rate"),
    [
        pytest.param(MLP, "0.3", id="digits, MLP"),
        pytest.param(COLOR, "0.3", id="color images, MobileNetV2"),
        pytest.param(FOLDER, "0.3", id="folders of images, LeNet-5"),
        pytest.param(SEQUENCES, "as_built", id="sequences, LSTM"),
        pytest.param(PATCHES, "as_built", id="digits, transformer"),
    ],
)
def test_a_killed_run_ends_as_if_it_had_not_been_and_is_compared(
    lab: Path, command: Command, case: str, rate: str
) -> None:
    (lab / "own.py").write_text(OWN)
    write_images(lab)
    (lab / "case.yaml").write_text(HEAD.replace("RATE", rate) + case)
    finish(command("run", "case.yaml", "--set", "experiment=whole"))
    process = command("run", "case.yaml", "--set", "experiment=killed")
    assert process.stderr is not None
    for line in process.stderr:
        if "epoch 1/2" in line:
            break
    process.kill()
    process.communicate()
    finish(command("run", "case.yaml", "--set", "experiment=killed"))

    whole, killed = ({run.run_name: run for run in read_runs(name)} for name in ("whole", "killed"))
    assert len(whole) == 4
    assert {run.status for run in killed.values()} == {RunStatus.FINISHED}
    for name, run in whole.items():
        assert killed[name].final_weights == run.final_weights, name
    for seed in (0, 1):
        none, dropout = whole[f"none-seed{seed}"], whole[f"dropout-seed{seed}"]
        assert none.initial_weights == dropout.initial_weights
        assert none.batch_order == dropout.batch_order
        assert none.final_weights != dropout.final_weights
    out = finish(command("compare", "killed"))
    assert any(verdict in out for verdict in ("undecided", "lower", "higher", "equivalent"))
    load_elsewhere(lab, f"runs:/{whole['dropout-seed0'].run_id}/dropout")


@pytest.mark.slow
def test_a_program_that_trains_its_own_network_is_not_run_by_those_who_load_it(lab: Path) -> None:
    (lab / "study.py").write_text(STUDY)
    subprocess.run([sys.executable, "study.py"], cwd=lab, check=True, timeout=1800)
    (run,) = read_runs("study")
    assert run.status is RunStatus.FINISHED
    load_elsewhere(lab, f"runs:/{run.run_id}/study")


def test_an_mlp_on_digits_continues_to_the_same_weights(
    lab: Path, make_listener: Callable[..., object]
) -> None:
    from dropout_lab.runs.executor import execute_runs
    from dropout_lab.runs.planning import plan_runs
    from dropout_lab.spec.loading import load_spec

    (lab / "case.yaml").write_text(HEAD.replace("RATE", "0.3").replace("seeds: 2", "seeds: 1") + MLP)
    for experiment, stop_after in (("whole", 0), ("stopped", 2), ("stopped", 0)):
        listener = make_listener(stop_after)
        runs = plan_runs(load_spec("case.yaml", [f"experiment={experiment}"]))
        execute_runs(runs[1:], listener, listener.stop)  # type: ignore[attr-defined]
    (whole,), (stopped,) = read_runs("whole"), read_runs("stopped")
    assert stopped.status is RunStatus.FINISHED
    assert stopped.final_weights == whole.final_weights != whole.initial_weights
    assert whole.metrics["dropped_fraction_input"] == pytest.approx(0.3, abs=0.05)
