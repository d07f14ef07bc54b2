"""Final figures, on numbers small enough to compute by hand."""

from collections.abc import Callable
from contextlib import nullcontext

import keras
import numpy as np
import pytest
import tensorflow as tf

from dropout_lab.data.dataset import Dataset
from dropout_lab.errors import TrainingError
from dropout_lab.evaluation.measures import measure
from dropout_lab.models.network import Network, build_network
from dropout_lab.spec import ModelSpec
from dropout_lab.training.prediction import Predictor, evaluate


def _probs(*rows: dict[int, float]) -> np.ndarray:
    probs = np.zeros((len(rows), 10), np.float32)
    for row, values in zip(probs, rows, strict=True):
        for label, prob in values.items():
            row[label] = prob
    return probs


PROBS = _probs({0: 0.5, 1: 0.5}, {1: 0.75, 2: 0.25}, {2: 0.25, 3: 0.75}, {3: 1.0})
LABELS = np.array([0, 1, 2, 3], np.uint8)


def test_figures_by_hand() -> None:
    figures = evaluate(PROBS, LABELS)
    assert figures.measures == measure(PROBS, LABELS)
    assert figures.per_class_accuracy == {0: 1, 1: 1, 2: 0, 3: 1}
    assert figures.confusion_matrix[2, 3] == 1
    assert figures.confusion_matrix.sum() == 4


def test_probs_that_are_not_finite_are_an_error() -> None:
    with pytest.raises(TrainingError, match="finite"):
        evaluate(np.full((1, 10), np.nan, np.float32), np.zeros(1, np.uint8))


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: x / 0, "outputs of the network are not finite before training.*data.scale"),
        (lambda x: x + tf.random.uniform(tf.shape(x)), "random at inference"),
        (lambda x: x, None),
    ],
    ids=["not finite", "random", "good"],
)
def test_a_network_is_checked_before_training(
    dataset: Dataset, function: Callable[[tf.Tensor], tf.Tensor], message: str | None
) -> None:
    layers = keras.layers
    model = keras.Sequential(
        [keras.Input((28, 28, 1)), layers.Flatten(), layers.Lambda(function), layers.Dense(10, "softmax")]
    )
    predictor = Predictor(Network(model=model, sites=()), dataset)
    expected = pytest.raises(TrainingError, match=f"(?s){message}") if message else nullcontext()
    with expected:
        predictor.check_inference(dataset.train_inputs[:3])


def test_prediction_does_not_depend_on_how_it_is_batched(dataset: Dataset) -> None:
    images = np.random.default_rng(0).integers(0, 256, (1003, 28, 28, 1)).astype(np.uint8)
    spec = ModelSpec(filters=(2, 2), hidden_units=4)
    predictor = Predictor(build_network(spec, (28, 28, 1), 10, 0), dataset)
    probs = predictor.probs(images)
    assert probs.shape == (1003, 10)
    np.testing.assert_allclose(probs[1000:], predictor.probs(images[1000:]), rtol=1e-5)
