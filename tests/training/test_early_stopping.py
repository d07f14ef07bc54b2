"""Early stopping keeps the first best epoch, and ends after epochs without an improvement."""

from collections.abc import Sequence

import keras
import numpy as np
import pytest

from dropout_lab.records import EpochMetrics
from dropout_lab.spec.training import EarlyStopping
from dropout_lab.training.early_stopping import BestWeights, best_epoch, is_over


def epochs(values: Sequence[float], metric: str = "val_loss") -> list[EpochMetrics]:
    return [
        EpochMetrics(
            **{
                "epoch": number,
                "loss": 0.0,
                "accuracy": 0.0,
                "val_loss": 0.0,
                "val_accuracy": 0.0,
                "epoch_seconds": 0.0,
                "end_time_ms": 0,
                metric: value,
            }  # type: ignore[arg-type]
        )
        for number, value in enumerate(values, start=1)
    ]


@pytest.mark.parametrize(
    ("metric", "values", "best"),
    [
        ("val_loss", [0.5], 1),
        ("val_loss", [0.5, 0.4, 0.4, 0.6], 2),
        ("val_accuracy", [0.5, 0.8, 0.8, 0.6], 2),
        ("val_accuracy", [0.9, 0.8], 1),
    ],
)
def test_the_best_epoch_is_the_first_with_the_best_value(metric: str, values: list[float], best: int) -> None:
    spec = EarlyStopping(metric=metric)  # type: ignore[arg-type]
    assert best_epoch(spec, epochs(values, metric)) == best


def test_training_ends_as_that_of_keras_does() -> None:
    values = [0.5, 0.4, 0.45, 0.4, 0.39, 0.5, 0.5, 0.38]
    for patience in (1, 2, 3):
        keras_own = keras.callbacks.EarlyStopping("val_loss", patience=patience)
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        keras_own.set_model(model)
        model.stop_training = False
        keras_own.on_train_begin()
        for number, value in enumerate(values, start=1):
            keras_own.on_epoch_end(number - 1, {"val_loss": value})
            ours = is_over(EarlyStopping(patience=patience), epochs(values[:number]))
            assert ours == bool(model.stop_training)
            if ours:
                break
    assert not is_over(EarlyStopping(), [])


def test_weights_and_moving_statistics_are_restored_exactly() -> None:
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), keras.layers.BatchNormalization()])
    best = BestWeights(model)
    kept = [np.random.default_rng(0).normal(size=weight.shape) for weight in model.weights]
    model.set_weights(kept)
    best.keep()
    model.set_weights([np.zeros_like(weight) for weight in kept])
    best.restore()
    for weight, value in zip(model.get_weights(), kept, strict=True):
        np.testing.assert_array_equal(weight, value.astype(np.float32))
