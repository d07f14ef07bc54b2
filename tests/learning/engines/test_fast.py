"""The fast engine computes what stock Keras layers compute under the same masks, whatever the batch."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from dropout_lab.learning.data import Dataset
from dropout_lab.learning.engines.fast import FastEngine, unsupported_reason
from dropout_lab.learning.engines.masks import keep_scale
from dropout_lab.learning.model import build_model, dropout_layers
from dropout_lab.spec import ModelSpec, TrainingSpec

PUBLISHED = {"conv1": 0.2, "conv2": 0.2, "dense": 0.5}
RUN_SEED = 3


class Setup:
    """A network with biases that are not zero, its optimizer and its fast engine."""

    def __init__(self, data: Dataset, *, batch_size: int = 20, **model: Any) -> None:
        self.spec = ModelSpec.model_validate(model)
        self.data = data
        self.model = build_model(self.spec, RUN_SEED)
        random = np.random.default_rng(0)
        for bias in self.model.trainable_variables[1::2]:
            bias.assign(random.normal(0, 0.1, bias.shape))
        self.optimizer = keras.optimizers.Adam()
        self.optimizer.build(self.model.trainable_variables)
        self.engine = FastEngine(
            self.model, self.optimizer, self.spec, data.train_images, data.train_labels, RUN_SEED, batch_size
        )

    def batch(self, size: int, number: int = 0) -> np.ndarray:
        return np.random.default_rng(number).permutation(len(self.data.train_labels))[:size]

    def stock_gradients(self, batch: np.ndarray, step: int) -> tuple[float, list[tf.Tensor]]:
        """The loss and its gradients by the model's own layers, with the engine's masks for dropout."""
        masks = self.engine.keep_masks(step, len(batch))
        scales = {layer.name: keep_scale(layer.rate) for layer in dropout_layers(self.model)}
        h = tf.constant(self.data.train_images[batch, ..., np.newaxis], tf.float32) / 255.0
        with tf.GradientTape() as tape:
            for layer in self.model.layers:
                h = h * masks[layer.name] * scales[layer.name] if layer.name in masks else layer(h)
            labels = self.data.train_labels[batch].astype(np.int32)
            loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(labels, h))
        return float(loss), tape.gradient(loss, [v.value for v in self.model.trainable_variables])

    def state(self) -> list[np.ndarray]:
        return [v.numpy() for v in [*self.model.trainable_variables, *self.optimizer.variables]]


@pytest.fixture
def setup(dataset: Dataset) -> Callable[..., Setup]:
    return lambda **options: Setup(dataset, **options)


def assert_agree(setup: Setup, batch: np.ndarray, step: int = 7) -> None:
    loss, gradients = setup.engine.gradients(batch, step)
    stock_loss, stock_gradients = setup.stock_gradients(batch, step)
    assert loss == pytest.approx(stock_loss, rel=1e-5)
    for variable, gradient, stock in zip(
        setup.model.trainable_variables, gradients, stock_gradients, strict=True
    ):
        error = np.linalg.norm(gradient - stock) / np.linalg.norm(stock)
        assert error < 1e-5, variable.path


# Small batches: where two elements of a window are equal up to rounding, which of them wins is a matter of
# the order of summation, for stock layers that sum in two orders too (seen in 1 of 5 batches of 200).
@pytest.mark.parametrize(("rate", "batch_size"), [(0.0, 13), (0.2, 1), (0.2, 20), (0.5, 13), (0.9, 13)])
def test_loss_and_gradients_agree_with_stock_layers(
    setup: Callable[..., Setup], rate: float, batch_size: int
) -> None:
    one = setup(dropout=rate, batch_size=batch_size)
    assert_agree(one, one.batch(batch_size))


@pytest.mark.parametrize(
    "model",
    [
        {"dropout": PUBLISHED, "dropout_position": "after_pooling"},
        {"dropout": PUBLISHED, "filters": (5, 9), "hidden_units": 17},
        {"dropout": {"conv1": 0.0, "conv2": 0.3, "dense": 0.0}, "filters": (1, 1), "hidden_units": 1},
    ],
)
def test_relatives_of_the_network_agree_too(setup: Callable[..., Setup], model: dict[str, Any]) -> None:
    one = setup(**model)
    assert_agree(one, one.batch(20))


def test_large_batches_agree_but_for_the_ties_of_single_windows(setup: Callable[..., Setup]) -> None:
    one = setup(dropout=PUBLISHED, batch_size=200)
    errors = []
    for number in range(5):
        batch = one.batch(200, number)
        _, gradients = one.engine.gradients(batch, number)
        _, stock = one.stock_gradients(batch, number)
        errors.append(
            max(np.linalg.norm(a - b) / np.linalg.norm(b) for a, b in zip(gradients, stock, strict=True))
        )
    assert np.median(errors) < 1e-5


def test_a_smaller_last_batch_and_an_odd_one_agree(setup: Callable[..., Setup]) -> None:
    """The engine fills up what is missing; the updates must be those of the examples that are there."""
    filled, alone = setup(dropout=PUBLISHED, batch_size=121), setup(dropout=PUBLISHED, batch_size=33)
    batch = filled.batch(33)[np.newaxis]
    assert filled.engine.run(batch, 5) == pytest.approx(alone.engine.run(batch, 5), rel=1e-5)
    for a, b in zip(filled.state(), alone.state(), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=2e-5)


def test_updates_are_those_of_keras_adam(setup: Callable[..., Setup]) -> None:
    fast, stock = setup(dropout=PUBLISHED), setup(dropout=PUBLISHED)
    batches = np.stack([fast.batch(10, number) for number in range(3)])
    loss, num_correct = fast.engine.run(batches, 0)
    stock_loss = 0.0
    for step, batch in enumerate(batches):
        step_loss, gradients = stock.stock_gradients(batch, step)
        stock.optimizer.apply(gradients, stock.model.trainable_variables)
        stock_loss += step_loss * len(batch)
    assert loss == pytest.approx(stock_loss, rel=1e-5)
    assert num_correct in range(31)
    assert int(fast.optimizer.iterations.numpy()) == 3
    for a, b in zip(fast.state(), stock.state(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=2e-5)


def test_the_same_seed_gives_the_same_bits_however_the_steps_are_cut(setup: Callable[..., Setup]) -> None:
    whole, parts = (setup(dropout=PUBLISHED, batch_size=120) for _ in range(2))
    batches = np.stack([whole.batch(120, number) for number in range(4)])
    whole.engine.run(batches, 0)
    parts.engine.run(batches[:1], 0)
    parts.engine.run(batches[1:], 1)
    for a, b in zip(whole.state(), parts.state(), strict=True):
        assert np.array_equal(a, b)


def test_a_diverged_training_shows_in_the_loss(setup: Callable[..., Setup]) -> None:
    one = setup(dropout=PUBLISHED)
    kernel = one.model.trainable_variables[0]
    kernel.assign(np.full(kernel.shape, np.nan))
    assert np.isnan(one.engine.run(one.batch(10)[np.newaxis], 0)[0])


def test_masks_have_the_layers_own_shapes(setup: Callable[..., Setup]) -> None:
    before = setup(dropout=PUBLISHED).engine.keep_masks(0, 4)
    after = setup(dropout=PUBLISHED, dropout_position="after_pooling").engine.keep_masks(0, 4)
    assert [mask.shape for mask in before.values()] == [(4, 28, 28, 32), (4, 14, 14, 64), (4, 128)]
    assert [mask.shape for mask in after.values()] == [(4, 14, 14, 32), (4, 7, 7, 64), (4, 128)]


@pytest.mark.parametrize(
    ("training", "device", "word"),
    [
        ({}, "/GPU:0", "GPU"),
        ({"optimizer": "sgd"}, "/CPU:0", "sgd"),
        ({"precision": "mixed_bfloat16"}, "/CPU:0", "mixed_bfloat16"),
    ],
)
def test_what_is_not_supported_is_named(training: dict[str, Any], device: str, word: str) -> None:
    assert word in str(unsupported_reason(ModelSpec(), TrainingSpec(**training), device))


def test_the_published_protocol_is_supported() -> None:
    assert unsupported_reason(ModelSpec(), TrainingSpec(), "/CPU:0") is None
