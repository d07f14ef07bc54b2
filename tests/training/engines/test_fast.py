"""Both engines against a float64 reference under the same masks, whatever the batch and the processor.

Where two elements of a pooling window, or an activation and zero, differ by less than the rounding of
float32, the order of summation decides which way a gradient goes, and processors sum in different orders.
The batches here have no such ties by the reference; one test shows what a tie does.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from dropout_lab.data.dataset import Dataset
from dropout_lab.models.inspection import dropout_layers
from dropout_lab.models.network import Network
from dropout_lab.models.sites import find_sites
from dropout_lab.spec import ModelSpec, TrainingSpec
from dropout_lab.training.engines.adam import AdamConstants, apply_adam
from dropout_lab.training.engines.fast import unsupported_reason
from dropout_lab.training.engines.keras_engine import KerasEngine

PUBLISHED = {"conv1": 0.2, "conv2": 0.2, "dense": 0.5}

MAX_ERROR = 1e-5
"""Relative error of a gradient. Sums of some 1,000 float32 products of 24 bits have errors of 1e-7 to 2e-6;
a rate that is wrong by 1/10,000, or one window that passes its gradient on wrongly, gives more than 1e-5."""


def assert_both_agree(one: Any, batch: np.ndarray) -> None:
    expected_loss, expected = one.reference(batch)
    for loss, gradients in (one.engine.gradients(batch, one.step), one.stock_gradients(batch)):
        assert loss == pytest.approx(expected_loss, rel=MAX_ERROR)
        assert max(one.errors(gradients, expected)) < MAX_ERROR


@pytest.mark.parametrize(
    ("rate", "batch_size"), [(0.0, 13), (0.2, 1), (0.2, 20), (0.5, 13), (0.9, 13), (PUBLISHED, 200)]
)
def test_loss_and_gradients_of_both_engines(setup: Callable[..., Any], rate: float, batch_size: int) -> None:
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
    setup: Callable[..., Any], model: dict[str, Any]
) -> None:
    one = setup(**model)
    assert_both_agree(one, one.batch(20))


def test_the_bound_notices_a_rate_that_is_wrong_by_1_in_10_000(setup: Callable[..., Any]) -> None:
    one = setup(dropout=PUBLISHED)
    batch = one.batch(20)
    _, expected = one.reference(batch)
    for layer in dropout_layers(one.model):
        layer.rate += 1e-4
    _, gradients = one.stock_gradients(batch)
    assert max(one.errors(gradients, expected)) > MAX_ERROR


def test_a_tie_within_rounding_goes_to_the_first_element_in_both_engines(
    setup: Callable[..., Any], dataset: Dataset
) -> None:
    """At the left edge the second element of each window is larger by 2**-30, which float32 does not see.

    The loss hardly notices. The gradient goes to the first element instead of the second.
    """
    white = replace(dataset, train_inputs=np.full_like(dataset.train_inputs, 255))
    one = setup(data=white, dropout=0.0, filters=(1, 1), hidden_units=4)
    kernel = np.zeros((3, 3, 1, 1), np.float32)
    kernel[1, 1], kernel[1, 0] = 1, 2**-30  # the pixel itself and, hardly, its left neighbour
    one.model.trainable_variables[0].assign(kernel)
    batch = np.arange(20)
    expected_loss, expected = one.reference(batch)
    (loss, gradients), (stock_loss, stock) = one.engine.gradients(batch, one.step), one.stock_gradients(batch)
    assert loss == pytest.approx(expected_loss, rel=1e-5)
    assert stock_loss == pytest.approx(expected_loss, rel=1e-5)
    by_left, by_centre = expected[0][1, 0, 0, 0], expected[0][1, 1, 0, 0]
    for found in (gradients[0], stock[0]):
        assert found[1, 1, 0, 0] == pytest.approx(by_centre, rel=1e-4)
        assert abs(found[1, 0, 0, 0] - by_left) > 0.01 * abs(by_centre)


def test_a_smaller_last_batch_is_filled_up_with_examples_that_do_not_count(
    setup: Callable[..., Any],
) -> None:
    filled, alone = setup(dropout=PUBLISHED, batch_size=121), setup(dropout=PUBLISHED, batch_size=33)
    batch = filled.batch(33)
    expected_loss, expected = filled.reference(batch)
    for one in (filled, alone):
        _, gradients = one.engine.gradients(batch, one.step)
        assert max(one.errors(gradients, expected)) < MAX_ERROR
        loss_sum, num_correct = one.engine.run(batch[np.newaxis], one.step)
        assert loss_sum == pytest.approx(33 * expected_loss, rel=MAX_ERROR)
        assert num_correct in range(34)


def test_updates_are_those_of_keras_adam(setup: Callable[..., Any]) -> None:
    """From the same gradients: where one is near zero, its rounding decides the sign of a whole update."""
    fast, stock = setup(dropout=PUBLISHED), setup(dropout=PUBLISHED)
    for step in range(3):
        _, gradients = fast.engine.gradients(np.arange(10), step)
        apply_adam(
            fast.engine._state, AdamConstants.of(fast.optimizer), [tf.constant(one) for one in gradients]
        )
        stock.optimizer.apply(gradients, stock.model.trainable_variables)
    assert int(fast.optimizer.iterations.numpy()) == 3
    for a, b in zip(fast.state(), stock.state(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_the_same_seed_gives_the_same_bits_however_the_steps_are_cut(setup: Callable[..., Any]) -> None:
    whole, parts = (setup(dropout=PUBLISHED, batch_size=120) for _ in range(2))
    batches = np.random.default_rng(0).integers(0, 250, (4, 120))
    whole.engine.run(batches, 0)
    parts.engine.run(batches[:1], 0)
    parts.engine.run(batches[1:], 1)
    for a, b in zip(whole.state(), parts.state(), strict=True):
        assert np.array_equal(a, b)


def test_a_diverged_training_shows_in_the_loss(setup: Callable[..., Any]) -> None:
    one = setup(dropout=PUBLISHED)
    kernel = one.model.trainable_variables[0]
    kernel.assign(np.full(kernel.shape, np.nan))
    assert np.isnan(one.engine.run(np.arange(10)[np.newaxis], 0)[0])


@pytest.mark.parametrize("position", ["before_pooling", "after_pooling"])
@pytest.mark.parametrize("batch_size", [5, 150])
def test_observed_masks_are_those_of_the_generator(
    setup: Callable[..., Any], position: str, batch_size: int
) -> None:
    one = setup(dropout=PUBLISHED, dropout_position=position, batch_size=batch_size, filters=(8, 6))
    before = one.state()
    seen = one.engine.observe_dropout(one.step)
    for number, step in enumerate((one.step, one.step + 1)):
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


def test_the_stock_engine_observes_the_masks_of_its_steps(setup: Callable[..., Any]) -> None:
    one = setup(dropout=PUBLISHED)
    network = Network(model=one.model, sites=find_sites(one.model))
    stock = KerasEngine(
        network, one.optimizer, one.data.train_inputs, one.data.train_labels, one.data.scaling
    )
    first = stock.observe_dropout(one.step)
    for layer in dropout_layers(one.model):
        layer.seed_generator.next()
    later = stock.observe_dropout(one.step + 1)
    for a, b in zip(first, later, strict=True):
        both = a.examined[1] & b.examined[0]
        assert np.array_equal(a.kept[1][both], b.kept[0][both])
        assert a.num_examined > 1000


@pytest.mark.parametrize(
    ("training", "device", "word"),
    [
        ({}, "/GPU:0", "GPU"),
        ({"optimizer": "sgd"}, "/CPU:0", "sgd"),
        ({"precision": "mixed_float16"}, "/CPU:0", "mixed_float16"),
        ({"weight_decay": 0.1}, "/CPU:0", "training.weight_decay"),
        ({"l2": 0.1}, "/CPU:0", "training.l2"),
        ({"max_norm": 3}, "/CPU:0", "training.max_norm"),
        ({"label_smoothing": 0.1}, "/CPU:0", "training.label_smoothing"),
        ({"augmentation": {"crop": 2}}, "/CPU:0", "training.augmentation"),
    ],
)
def test_what_is_not_supported_is_named(training: dict[str, Any], device: str, word: str) -> None:
    assert word in str(unsupported_reason(ModelSpec(), TrainingSpec.model_validate(training), device))


def test_the_published_protocol_is_supported() -> None:
    assert unsupported_reason(ModelSpec(), TrainingSpec(), "/CPU:0") is None


def test_what_does_not_concern_the_steps_is_supported() -> None:
    training = {"early_stopping": {}, "learning_rate_schedule": {"shape": "cosine"}}
    assert unsupported_reason(ModelSpec(), TrainingSpec.model_validate(training), "/CPU:0") is None


def test_a_field_that_nobody_has_decided_on_is_not_supported() -> None:
    class Later(TrainingSpec):
        sharpness: float = 0.0

    class LaterModel(ModelSpec):
        gates: int = 0

        @property
        def fields(self) -> tuple[str, ...]:
            return (*super().fields, "gates")

    for model, training, field in (
        (ModelSpec(), Later(sharpness=0.1), "training.sharpness"),
        (LaterModel(gates=1), TrainingSpec(), "model.gates"),
        (ModelSpec(batch_normalization=True), TrainingSpec(), "model.batch_normalization"),
    ):
        assert f"does not support {field}" in str(unsupported_reason(model, training, "/CPU:0"))
    assert unsupported_reason(LaterModel(), Later(), "/CPU:0") is None
