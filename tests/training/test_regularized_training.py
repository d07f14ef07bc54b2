"""Trainings with every regularizer: matched with those without, exact after a stop, and stock when saved."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from dropout_lab.data.selection import load_data
from dropout_lab.models.network import build_network
from dropout_lab.spec import DataSpec, ModelSpec, Settings
from dropout_lab.training.devices import resolve_device
from dropout_lab.training.progress import Progress
from dropout_lab.training.trainer import Trainer, load_model

DATA = DataSpec(num_train=250, num_test=200, validation=50)
Changes = dict[str, dict[str, Any]]
MakeTrainer = Callable[..., Trainer]

EACH: dict[str, Changes] = {
    "weight decay": {"training": {"weight_decay": 5.0}},
    "l2": {"training": {"l2": 0.01}},
    "max-norm": {"training": {"max_norm": 0.5}},
    "label smoothing": {"training": {"label_smoothing": 0.2}},
    "schedule": {"training": {"learning_rate_schedule": {"shape": "cosine", "warmup_epochs": 0.5}}},
    "augmentation": {"training": {"augmentation": {"flip": "horizontal", "translation": 0.1}}},
    "batch normalization": {"model": {"batch_normalization": True}},
}
ALL: Changes = {
    "model": {"network": "lenet5", "dropout": 0.2, "batch_normalization": True},
    "training": {
        "optimizer": "sgd",
        "learning_rate": 0.05,
        "momentum": 0.9,
        "nesterov": True,
        "weight_decay": 0.01,
        "l2": 0.001,
        "max_norm": 2,
        "label_smoothing": 0.1,
        "learning_rate_schedule": {"shape": "step", "milestones": [1.5], "factor": 0.5},
        "augmentation": {"flip": "horizontal", "translation": 0.1, "rotation": 0.05, "crop": 2},
        "early_stopping": {"patience": 1, "metric": "val_accuracy"},
    },
}


class StoppedError(Exception):
    """Ends a training from its callback."""


@pytest.fixture(scope="module")
def make_trainer() -> MakeTrainer:
    data = load_data(DATA)

    def make(changes: Changes, *, engine: str = "stock", seed: int = 0) -> Trainer:
        model = {"filters": [4, 8], "hidden_units": 16} if "network" not in changes.get("model", {}) else {}
        settings = Settings.model_validate(
            {
                "model": {**model, **changes.get("model", {})},
                "training": {"epochs": 3, "batch_size": 80, **changes.get("training", {})},
            }
        )
        return Trainer(settings, data, seed, resolve_device("cpu"), engine)

    return make


def ignore(_progress: Progress) -> None:
    pass


@pytest.mark.slow
@pytest.mark.parametrize("name", EACH)
def test_twins_start_equal_and_end_apart(make_trainer: MakeTrainer, name: str) -> None:
    baseline, regularized = make_trainer({}), make_trainer(EACH[name])
    assert baseline.batch_order == regularized.batch_order
    if "model" not in EACH[name]:
        assert baseline.initial_weights == regularized.initial_weights
    for trainer in (baseline, regularized):
        trainer.train(Progress(), ignore)
    assert baseline.weights_fingerprint() != regularized.weights_fingerprint()


@pytest.mark.parametrize("network", [{}, {"network": "mlp", "hidden": (8, 6)}, {"network": "lenet5"}])
def test_normalization_leaves_the_other_weights_as_they_start(network: dict[str, Any]) -> None:
    plain, normalized = (
        build_network(ModelSpec(**network, batch_normalization=on), (28, 28, 1), 10, 3).model
        for on in (False, True)
    )
    shared = {weight.path: weight.numpy() for weight in plain.weights}
    found = {weight.path: weight.numpy() for weight in normalized.weights}
    assert shared.keys() < found.keys()
    assert all(np.array_equal(found[path], value) for path, value in shared.items())
    layers = normalized.layers
    for i, layer in enumerate(layers[:-1]):
        if isinstance(layer, keras.layers.Conv2D | keras.layers.Dense):
            following = [type(one).__name__ for one in layers[i + 1 : i + 3]]
            assert following == ["BatchNormalization", "Activation"]
            assert layer.activation is keras.activations.linear


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "engine"),
    [
        (ALL, "stock"),
        (
            {
                "training": {
                    "learning_rate_schedule": "cosine",
                    "early_stopping": {"patience": 2},
                }
            },
            "fast",
        ),
    ],
)
def test_a_stopped_training_ends_as_if_it_had_not_been_stopped(
    make_trainer: MakeTrainer, changes: Changes, engine: str, tmp_path: Path
) -> None:
    whole = make_trainer(changes, engine=engine)
    expected = whole.train(Progress(), ignore)
    final = whole.weights_fingerprint()
    for stop_after in (3, 2 * len(expected.epochs)):
        folder = tmp_path / str(stop_after)
        folder.mkdir()
        stopped, calls = make_trainer(changes, engine=engine), 0

        def save_and_stop(progress: Progress) -> None:
            nonlocal calls
            calls += 1
            stopped.save(folder, progress)  # noqa: B023 - called in this turn alone
            if calls == stop_after:  # noqa: B023
                raise StoppedError

        with pytest.raises(StoppedError):
            stopped.train(Progress(), save_and_stop)
        resumed = make_trainer(changes, engine=engine)
        progress = resumed.train(resumed.restore(folder, lambda _: None), ignore)
        assert resumed.weights_fingerprint() == final, stop_after
        assert [(one.loss, one.val_loss) for one in progress.epochs] == [
            (one.loss, one.val_loss) for one in expected.epochs
        ]


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["stock", "fast"])
def test_early_stopping_has_the_weights_of_a_training_of_the_best_epochs(
    make_trainer: MakeTrainer, engine: str
) -> None:
    """With a learning rate that is too large, an early epoch is the best."""
    diverging = {"learning_rate": 0.05, "epochs": 8}
    stopped = make_trainer({"training": {**diverging, "early_stopping": {"patience": 1}}}, engine=engine)
    progress = stopped.train(Progress(), ignore)
    losses = [epoch.val_loss for epoch in progress.epochs]
    assert len(losses) < 8
    best = losses.index(min(losses)) + 1
    assert len(losses) == best + 1
    short = make_trainer({"training": {**diverging, "epochs": best}}, engine=engine)
    short.train(Progress(), ignore)
    assert stopped.weights_fingerprint() == short.weights_fingerprint()


@pytest.mark.slow
def test_each_step_has_its_learning_rate_in_both_engines(make_trainer: MakeTrainer) -> None:
    schedule = {"learning_rate_schedule": {"shape": "cosine"}}
    for engine in ("stock", "fast"):
        trainer, seen = make_trainer({"training": {"epochs": 2, **schedule}}, engine=engine), []
        run = trainer._engine._engine.run  # type: ignore[attr-defined]

        def observed(batches: np.ndarray, first_step: int, run: Any = run, trainer: Trainer = trainer) -> Any:
            seen.append((first_step, float(trainer._optimizer.learning_rate.numpy())))  # noqa: B023
            return run(batches, first_step)

        trainer._engine._engine.run = observed  # type: ignore[attr-defined]
        trainer.train(Progress(), ignore)
        steps = 2 * 3  # 200 examples in batches of 80
        assert [step for step, _ in seen] == [*range(steps)]
        expected = [0.001 * (1 + np.cos(np.pi * t / steps)) / 2 for t in range(steps)]
        np.testing.assert_allclose([rate for _, rate in seen], expected, rtol=1e-6)


@pytest.mark.slow
def test_the_saved_model_is_stock_and_predicts_the_same(make_trainer: MakeTrainer, tmp_path: Path) -> None:
    trainer = make_trainer(ALL)
    trainer.train(Progress(), ignore)
    trainer.save_model(tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras", {})
    assert all(type(layer).__module__.startswith("keras.src.layers") for layer in loaded.layers)
    assert not [layer for layer in loaded.layers if layer.name.startswith(("random", "crop"))]
    assert loaded.losses == []
    assert all(weight.regularizer is None and weight.constraint is None for weight in loaded.weights)
    example = trainer.input_example()
    np.testing.assert_array_equal(
        loaded.predict(example, verbose=0), trainer.model.predict(example, verbose=0)
    )
    kernels = [layer.kernel.numpy() for layer in loaded.layers if hasattr(layer, "kernel")]
    norms = [np.linalg.norm(kernel.reshape(-1, kernel.shape[-1]), axis=0).max() for kernel in kernels]
    assert max(norms) <= 2 * (1 + 1e-6)
