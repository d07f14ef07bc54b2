"""Trains networks on one and on two logical CPUs, and writes what came out to ``seen.json``.

TensorFlow fixes its devices at first use, so this runs in a process of its own, in an empty folder.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

import dropout_lab
from dropout_lab.data.selection import load_data
from dropout_lab.spec import DataSpec, Settings, Spec
from dropout_lab.training.devices import resolve_device
from dropout_lab.training.engines.replicas import Replicas
from dropout_lab.training.progress import Progress
from dropout_lab.training.trainer import Trainer

ONE, BOTH = "/CPU:0", "/CPU:0,/CPU:1"
NORMALIZED = {"network": "resnet", "blocks": 1, "dropout": 0.2}
CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "plain": ({"dropout": 0}, {}),
    "penalized": ({"dropout": 0}, {"l2": 0.01, "max_norm": 1.0, "early_stopping": {"patience": 1}}),
    "dropout": ({"dropout": 0.4}, {}),
    "half": ({"dropout": 0.4}, {"precision": "mixed_float16"}),
    "normalized": (NORMALIZED, {}),
}


class StopError(Exception):
    """The training is stopped here."""


def trainer(device: str, model: dict[str, Any], training: dict[str, Any]) -> Trainer:
    content = {"model": model, "training": {"epochs": 2, "batch_size": 70, **training}}
    data = load_data(DataSpec(num_train=150, num_test=50))
    where = replace(resolve_device("cpu"), device=device)
    return Trainer(Settings.model_validate(content), data, 0, where, "stock")


def trained(device: str, case: str) -> dict[str, Any]:
    made = trainer(device, *CASES[case])
    checks = made.check_dropout()
    progress = made.train(Progress(), lambda progress: None)
    return {
        "initial": made.initial_weights,
        "final": made.weights_fingerprint(),
        "weights": [weight.numpy().ravel().tolist() for weight in made.model.trainable_variables],
        "loss": made.evaluate()[1].measures["loss"],
        "epochs": [epoch.loss for epoch in progress.epochs],
        "sites": [check.layer for check in checks],
    }


def stopped_and_continued(case: str) -> str:
    """Return the fingerprint of a training that is stopped after its first epoch, and continued."""
    folder = Path("checkpoints")
    folder.mkdir()
    first = trainer(BOTH, *CASES[case])

    def stop(progress: Progress) -> None:
        if progress.epochs:
            first.save(folder, progress)
            raise StopError

    try:
        first.train(Progress(), stop)
    except StopError:
        second = trainer(BOTH, *CASES[case])
        second.train(second.restore(folder, print), lambda progress: None)
        return second.weights_fingerprint()
    raise AssertionError("it was not stopped")


def masks() -> tuple[Any, Any]:
    """Return what the copies of a layer keep in two steps, (step, copy, example, unit), and their shares."""
    replicas = Replicas(BOTH.split(","))
    with replicas.scope():
        model = keras.Sequential([keras.Input((64,)), keras.layers.Dropout(0.5, seed=1)])

    def kept(inputs: tf.Tensor, labels: tf.Tensor, share: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        copy = tf.one_hot(tf.distribute.get_replica_context().replica_id_in_sync_group, 2)
        outputs = tf.cast(model(inputs, training=True) != 0, tf.float32)[:10]
        return copy[:, None, None] * outputs, copy * share

    @tf.function
    def step() -> tuple[tf.Tensor, tf.Tensor]:
        return replicas.step(kept, model, tf.ones((21, 64)), tf.zeros(21))

    with replicas.scope():
        steps = [step() for _ in range(2)]
    return np.stack([kept.numpy() for kept, _ in steps]).tolist(), steps[0][1].numpy().tolist()


def whole_runs() -> None:
    """Train and track a run on all GPUs, which the logical CPUs are for the time being, and one on a CPU."""
    listed = tf.config.list_logical_devices
    for device, kinds in {"gpus": {"GPU": "CPU"}, "cpu": {}}.items():
        tf.config.list_logical_devices = lambda kind, kinds=kinds: listed(kinds.get(kind, kind))
        spec = Spec(
            name=device,
            experiment="smoke",
            device=device,
            model={"dropout": 0.5},
            training={"epochs": 1, "engine": "stock"},
            data={"num_train": 250, "num_test": 50},
            evaluation={"mc_samples": 2},
            conditions={device: {}},
        )
        dropout_lab.run(spec, progress=False)


def main() -> None:
    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    kept, shares = masks()
    seen: dict[str, Any] = {"kept": kept, "shares": shares}
    seen |= {case: {"one": trained(ONE, case), "both": trained(BOTH, case)} for case in CASES}
    seen["again"] = trained(BOTH, "dropout")["final"]
    seen["continued"] = stopped_and_continued("normalized")
    Path("seen.json").write_text(json.dumps(seen))
    whole_runs()


if __name__ == "__main__":
    main()
