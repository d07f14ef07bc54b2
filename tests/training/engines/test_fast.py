"""Both engines against a float64 reference under the same masks, whatever the batch and the processor.

Where two elements of a pooling window, or an activation and zero, differ by less than the rounding of
float32, the order of summation decides which way a gradient goes, and processors sum in different orders.
The batches here have no such ties by the reference; one test shows what a tie does.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from dropout_lab.data.dataset import Dataset
from dropout_lab.models.inspection import dropout_layers
from dropout_lab.models.published import build_model
from dropout_lab.spec import ModelSpec, TrainingSpec
from dropout_lab.training.engines.fast import FastEngine, unsupported_reason
from dropout_lab.training.engines.masks import keep_mask, keep_scale
from dropout_lab.training.engines.stock import StockEngine

PUBLISHED = {"conv1": 0.2, "conv2": 0.2, "dense": 0.5}
RUN_SEED = 3
STEP = 7

MAX_ERROR = 1e-5
"""Relative error of a gradient. Sums of some 1,000 float32 products of 24 bits have errors of 1e-7 to 2e-6;
a rate that is wrong by 1/10,000, or one window that passes its gradient on wrongly, gives more than 1e-5."""

ROUNDING = (3e-7, 1.5e-6, 1e-5)
"""Distances between activations of each layer (around 1) that rounding in float32 does not reach."""

EQUAL = 1e-12
"""Smaller distances in the reference are those of equal windows of the image, where it does not matter which
element passes the gradient on."""


class Setup:
    """A network with biases that are not zero, its optimizer, its fast engine and the reference."""

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
            self.model, self.optimizer, self.spec, data.train_inputs, data.train_labels, RUN_SEED, batch_size
        )

    def masks(self, num_examples: int, step: int = STEP) -> list[np.ndarray]:
        """The masks of the fast engine, as the generator defines them."""
        before_pooling = self.spec.dropout_position == "before_pooling"
        return [
            keep_mask(
                RUN_SEED,
                layer.name,
                layer.rate,
                step,
                (num_examples, *layer.input.shape[1:]),
                before_pooling=before_pooling and len(layer.input.shape) == 4,
            )
            for layer in dropout_layers(self.model)
        ]

    def batch(self, size: int, step: int = STEP) -> np.ndarray:
        """A batch without ties in the reference, under the masks of `step`."""
        weights = self.weights64()
        candidates = np.random.default_rng(step).permutation(len(self.data.train_labels))
        batch = candidates[np.arange(size) % len(candidates)]
        for attempt in range(1, 40):
            tied = self.forward64(weights, batch, step)[1]
            if not tied.any():
                return batch
            batch[tied] = np.roll(candidates, attempt)[np.flatnonzero(tied) % len(candidates)]
        raise AssertionError("every batch has ties")

    def weights64(self) -> list[tf.Tensor]:
        return [tf.constant(v.numpy(), tf.float64) for v in self.model.trainable_variables]

    def reference(self, batch: np.ndarray, step: int = STEP) -> tuple[float, list[np.ndarray]]:
        """Mean loss and its gradients in float64."""
        weights = self.weights64()
        with tf.GradientTape() as tape:
            tape.watch(weights)
            loss, _ = self.forward64(weights, batch, step)
        return float(loss), [g.numpy() for g in tape.gradient(loss, weights)]

    def forward64(
        self, weights: list[tf.Tensor], batch: np.ndarray, step: int
    ) -> tuple[tf.Tensor, np.ndarray]:
        """Mean loss and which examples have ties."""
        scales = [keep_scale(layer.rate) for layer in dropout_layers(self.model)]
        masks = [tf.constant(mask, tf.float64) for mask in self.masks(len(batch), step)]
        before_pooling = self.spec.dropout_position == "before_pooling"
        tied = np.zeros(len(batch), bool)

        def note(distance: tf.Tensor, rounding: float) -> None:
            close = (distance.numpy() > EQUAL) & (distance.numpy() < rounding)
            tied[:] |= close.reshape(len(batch), -1).any(axis=1)

        def find_ties(h: tf.Tensor, kept: tf.Tensor, rounding: float) -> None:
            n, height, width, channels = h.shape
            competing = tf.where(kept > 0, h, -1.0)
            windows = tf.reshape(competing, (n, height // 2, 2, width // 2, 2, channels))
            windows = tf.reshape(tf.transpose(windows, (0, 1, 3, 5, 2, 4)), (n, -1, 4))
            first, second = tf.unstack(tf.sort(windows, axis=-1, direction="DESCENDING")[..., :2], axis=-1)
            note(tf.where(first > 0, first - second, 1.0), rounding)
            note(tf.abs(first), rounding)

        def convolve(h: tf.Tensor, layer: int) -> tf.Tensor:
            h = tf.nn.conv2d(h, weights[2 * layer], 1, "SAME") + weights[2 * layer + 1]
            mask = masks[layer] * scales[layer]
            find_ties(h, mask if before_pooling else tf.ones_like(h), ROUNDING[layer])
            h = tf.nn.relu(h) * mask if before_pooling else tf.nn.relu(h)
            h = tf.nn.max_pool2d(h, 2, 2, "VALID")
            return h if before_pooling else h * mask

        h = convolve(convolve(tf.constant(self.data.train_inputs[batch] / 255), 0), 1)
        h = tf.reshape(h, (len(batch), -1)) @ weights[4] + weights[5]
        note(tf.abs(h), ROUNDING[2])
        h = tf.nn.relu(h) * masks[2] * scales[2]
        labels = self.data.train_labels[batch].astype(np.int32)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, h @ weights[6] + weights[7])
        return tf.reduce_mean(losses), tied

    def stock_gradients(self, batch: np.ndarray, step: int = STEP) -> tuple[float, list[np.ndarray]]:
        """Mean loss and its gradients by the model's own layers in float32, under the same masks."""
        masks = iter(self.masks(len(batch), step))
        h = tf.constant(self.data.train_inputs[batch], tf.float32) / 255.0
        with tf.GradientTape() as tape:
            for layer in self.model.layers:
                is_dropout = isinstance(layer, keras.layers.Dropout)
                h = h * next(masks) * keep_scale(layer.rate) if is_dropout else layer(h)
            labels = self.data.train_labels[batch].astype(np.int32)
            loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(labels, h))
        gradients = tape.gradient(loss, [v.value for v in self.model.trainable_variables])
        return float(loss), [g.numpy() for g in gradients]

    def state(self) -> list[np.ndarray]:
        return [v.numpy() for v in [*self.model.trainable_variables, *self.optimizer.variables]]


@pytest.fixture
def setup(dataset: Dataset) -> Callable[..., Setup]:
    return lambda **options: Setup(dataset, **options)


def errors(gradients: list[np.ndarray], expected: list[np.ndarray]) -> list[float]:
    return [
        float(np.linalg.norm(a - b) / np.linalg.norm(b)) for a, b in zip(gradients, expected, strict=True)
    ]


def assert_both_agree(setup: Setup, batch: np.ndarray, step: int = STEP) -> None:
    expected_loss, expected = setup.reference(batch, step)
    for loss, gradients in (setup.engine.gradients(batch, step), setup.stock_gradients(batch, step)):
        assert loss == pytest.approx(expected_loss, rel=MAX_ERROR)
        assert max(errors(gradients, expected)) < MAX_ERROR


@pytest.mark.parametrize(
    ("rate", "batch_size"), [(0.0, 13), (0.2, 1), (0.2, 20), (0.5, 13), (0.9, 13), (PUBLISHED, 200)]
)
def test_loss_and_gradients_of_both_engines(
    setup: Callable[..., Setup], rate: float, batch_size: int
) -> None:
    one = setup(dropout=rate, batch_size=batch_size)
    assert_both_agree(one, one.batch(batch_size))


@pytest.mark.parametrize(
    "model",
    [
        {"dropout": PUBLISHED, "dropout_position": "after_pooling"},
        {"dropout": PUBLISHED, "filters": (5, 9), "hidden_units": 17},
        {"dropout": {"conv1": 0.0, "conv2": 0.3, "dense": 0.0}, "filters": (1, 1), "hidden_units": 1},
    ],
)
def test_loss_and_gradients_of_relatives_of_the_network(
    setup: Callable[..., Setup], model: dict[str, Any]
) -> None:
    one = setup(**model)
    assert_both_agree(one, one.batch(20))


def test_the_bound_notices_a_rate_that_is_wrong_by_1_in_10_000(setup: Callable[..., Setup]) -> None:
    one = setup(dropout=PUBLISHED)
    batch = one.batch(20)
    _, expected = one.reference(batch)
    for layer in dropout_layers(one.model):
        layer.rate += 1e-4
    _, gradients = one.stock_gradients(batch)
    assert max(errors(gradients, expected)) > MAX_ERROR


def test_a_tie_within_rounding_goes_to_the_first_element_in_both_engines(dataset: Dataset) -> None:
    """At the left edge the second element of each window is larger by 2**-30, which float32 does not see.

    The loss hardly notices. The gradient goes to the first element instead of the second.
    """
    white = replace(dataset, train_inputs=np.full_like(dataset.train_inputs, 255))
    one = Setup(white, dropout=0.0, filters=(1, 1), hidden_units=4)
    kernel = np.zeros((3, 3, 1, 1), np.float32)
    kernel[1, 1], kernel[1, 0] = 1, 2**-30  # the pixel itself and, hardly, its left neighbour
    one.model.trainable_variables[0].assign(kernel)
    batch = np.arange(20)
    expected_loss, expected = one.reference(batch)
    (loss, gradients), (stock_loss, stock) = one.engine.gradients(batch, STEP), one.stock_gradients(batch)
    assert loss == pytest.approx(expected_loss, rel=1e-5)
    assert stock_loss == pytest.approx(expected_loss, rel=1e-5)
    by_left, by_centre = expected[0][1, 0, 0, 0], expected[0][1, 1, 0, 0]
    for found in (gradients[0], stock[0]):
        assert found[1, 1, 0, 0] == pytest.approx(by_centre, rel=1e-4)
        assert abs(found[1, 0, 0, 0] - by_left) > 0.01 * abs(by_centre)


def test_a_smaller_last_batch_is_filled_up_with_examples_that_do_not_count(
    setup: Callable[..., Setup],
) -> None:
    filled, alone = setup(dropout=PUBLISHED, batch_size=121), setup(dropout=PUBLISHED, batch_size=33)
    batch = filled.batch(33)
    expected_loss, expected = filled.reference(batch)
    for one in (filled, alone):
        _, gradients = one.engine.gradients(batch, STEP)
        assert max(errors(gradients, expected)) < MAX_ERROR
        loss_sum, num_correct = one.engine.run(batch[np.newaxis], STEP)
        assert loss_sum == pytest.approx(33 * expected_loss, rel=MAX_ERROR)
        assert num_correct in range(34)


def test_updates_are_those_of_keras_adam(setup: Callable[..., Setup]) -> None:
    """From the same gradients: where one is near zero, its rounding decides the sign of a whole update."""
    fast, stock = setup(dropout=PUBLISHED), setup(dropout=PUBLISHED)
    for step in range(3):
        _, gradients = fast.engine.gradients(np.arange(10), step)
        fast.engine._apply_adam([tf.constant(gradient) for gradient in gradients])
        stock.optimizer.apply(gradients, stock.model.trainable_variables)
    assert int(fast.optimizer.iterations.numpy()) == 3
    for a, b in zip(fast.state(), stock.state(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_the_same_seed_gives_the_same_bits_however_the_steps_are_cut(setup: Callable[..., Setup]) -> None:
    whole, parts = (setup(dropout=PUBLISHED, batch_size=120) for _ in range(2))
    batches = np.random.default_rng(0).integers(0, 250, (4, 120))
    whole.engine.run(batches, 0)
    parts.engine.run(batches[:1], 0)
    parts.engine.run(batches[1:], 1)
    for a, b in zip(whole.state(), parts.state(), strict=True):
        assert np.array_equal(a, b)


def test_a_diverged_training_shows_in_the_loss(setup: Callable[..., Setup]) -> None:
    one = setup(dropout=PUBLISHED)
    kernel = one.model.trainable_variables[0]
    kernel.assign(np.full(kernel.shape, np.nan))
    assert np.isnan(one.engine.run(np.arange(10)[np.newaxis], 0)[0])


@pytest.mark.parametrize("position", ["before_pooling", "after_pooling"])
@pytest.mark.parametrize("batch_size", [5, 150])
def test_observed_masks_are_those_of_the_generator(
    setup: Callable[..., Setup], position: str, batch_size: int
) -> None:
    one = setup(dropout=PUBLISHED, dropout_position=position, batch_size=batch_size, filters=(8, 6))
    before = one.state()
    seen = one.engine.observe_dropout(STEP)
    for number, step in enumerate((STEP, STEP + 1)):
        for observation, mask in zip(seen, one.masks(batch_size, step), strict=True):
            kept, examined = observation.kept[number], observation.examined[number]
            if mask.ndim == 4 and position == "before_pooling":
                # Each image examines one of the four elements of a window.
                elements = np.stack([mask[:, j // 2 :: 2, j % 2 :: 2] for j in range(4)])
                mask = elements[np.arange(batch_size) % 4, np.arange(batch_size)]
            assert np.array_equal(kept, mask & examined), observation.layer
            assert examined.any()
    assert {observation.examined.ndim for observation in seen} == {3, 5}
    for a, b in zip(before, one.state(), strict=True):
        assert np.array_equal(a, b)


def test_the_stock_engine_observes_the_masks_of_its_steps(setup: Callable[..., Setup]) -> None:
    one = setup(dropout=PUBLISHED)
    stock = StockEngine(
        one.model, one.optimizer, one.data.train_inputs, one.data.train_labels, one.data.scaling
    )
    first, later = stock.observe_dropout(STEP), stock.observe_dropout(STEP + 1)
    for a, b in zip(first, later, strict=True):
        both = a.examined[1] & b.examined[0]
        assert np.array_equal(a.kept[1][both], b.kept[0][both])
        assert a.num_examined > 1000


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
