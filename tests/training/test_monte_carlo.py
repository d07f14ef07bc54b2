"""Monte Carlo dropout switches dropout on and nothing else, and computes what precedes it once."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from dropout_lab.data.scaling import Scaling
from dropout_lab.models.keras_internals import seed_generators, seeded
from dropout_lab.models.network import Network
from dropout_lab.models.sites import find_sites, walk
from dropout_lab.training.dropout_on import drop, layers_that_drop
from dropout_lab.training.engines.masks import step_keys
from dropout_lab.training.monte_carlo import MonteCarloPredictor

UNSCALED = Scaling(to_float=True)
INPUTS = np.random.default_rng(0).normal(size=(7, 4)).astype(np.float32)


def predictor(model: keras.Model, run_seed: int = 0, **options: Any) -> MonteCarloPredictor:
    return MonteCarloPredictor(Network(model=model, sites=find_sites(model), **options), UNSCALED, run_seed)


def sequential(*parts: keras.layers.Layer, shape: tuple[int, ...] = (4,)) -> keras.Sequential:
    return keras.Sequential([keras.Input(shape), *parts])


class Count(layers.Layer):
    """Counts how often it is computed."""

    def build(self, _shape):
        self.count = self.add_weight(shape=(), dtype="int32", initializer="zeros", trainable=False)

    def call(self, inputs):
        self.count.assign(self.count + 1)
        return inputs


def test_only_dropout_is_on_in_a_network_with_batch_normalization() -> None:
    before, after = layers.BatchNormalization(epsilon=0), layers.BatchNormalization(epsilon=0)
    model = sequential(before, layers.Dropout(0.25), after)
    # In training both would normalize with the statistics of the batch, and change these.
    before.set_weights([np.ones(4), np.zeros(4), np.full(4, 3.0), np.full(4, 4.0)])
    after.set_weights([np.ones(4), np.zeros(4), np.full(4, -1.0), np.full(4, 16.0)])
    weights = model.get_weights()
    # The outputs are not scaled to probabilities, so that they show each value.
    outputs = predictor(model).predict(INPUTS, 1).probs
    kept = ((INPUTS - 3) / 2 / 0.75 + 1) / 4
    is_kept = np.isclose(outputs, kept, rtol=1e-5)
    is_dropped = np.isclose(outputs, 1 / 4, rtol=1e-5)
    assert (is_kept ^ is_dropped).all()
    assert is_kept.any()
    assert is_dropped.any()
    for now, then in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(now, then)


def test_the_mean_over_samples_is_that_of_the_masks() -> None:
    model = sequential(layers.Dropout(0.5), layers.Dense(3, kernel_initializer=keras.initializers.Ones()))
    found = predictor(model, outputs="logits").predict(INPUTS, 4000)
    masks = np.array(np.meshgrid(*[[0, 2]] * 4)).reshape(4, -1).T
    np.testing.assert_allclose(found.probs, np.full((7, 3), 1 / 3), atol=1e-6)
    np.testing.assert_allclose(found.mutual_information, 0, atol=1e-6)
    model.layers[-1].set_weights([np.eye(4, 3), np.zeros(3)])
    logits = INPUTS[:, None, :3] * masks[None, :, :3]
    exact = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    found = predictor(model, outputs="logits").predict(INPUTS, 4000)
    np.testing.assert_allclose(found.probs, exact.mean(axis=1), atol=0.03)
    entropy = -(exact * np.log(exact)).sum(axis=2).mean(axis=1)
    np.testing.assert_allclose(found.sample_entropy, entropy, atol=0.03)


def _sequential_parts(first: Count, last: Count) -> keras.Model:
    return sequential(first, layers.Dropout(0.5), last, layers.Dense(3))


def _functional_with_branches(first: Count, last: Count) -> keras.Model:
    inputs = keras.Input((4,))
    hidden = first(keras.ops.exp(inputs * 2))
    dropped = layers.Dropout(0.5)(hidden)
    return keras.Model(inputs, layers.Dense(3)(layers.Add()([hidden, last(dropped)])))


def _nested(first: Count, last: Count) -> keras.Model:
    inner = sequential(first, layers.Dense(4), layers.Dropout(0.5), last)
    inputs = keras.Input((4,))
    return keras.Model(inputs, layers.Dense(3)(inner(layers.Dense(4)(inputs))))


def _mixed_precision(first: Count, last: Count) -> keras.Model:
    parts = [layers.Dense(4, dtype="mixed_bfloat16"), first, layers.Dropout(0.5), last]
    return sequential(*parts, layers.Dense(3, dtype="float32"))


@pytest.mark.parametrize("build", [_sequential_parts, _functional_with_branches, _nested, _mixed_precision])
def test_what_precedes_dropout_is_computed_once(build: Callable[[Count, Count], keras.Model]) -> None:
    first, last = Count(), Count()
    model = build(first, last)
    mc = predictor(model, outputs="logits")
    mc.predict(INPUTS, 5)  # layers with variables may be built at the first call
    counts = [int(layer.count.numpy()) for layer in (first, last)]
    mc.predict(INPUTS, 5)
    # What has effects besides its result is also computed in the pass without dropout.
    assert [int(layer.count.numpy()) for layer in (first, last)] == [counts[0] + 1, counts[1] + 6]


def test_equal_calls_give_equal_results_and_random_numbers_are_kept() -> None:
    model = sequential(layers.Dropout(0.5), layers.Dense(3))
    mc = predictor(model, outputs="logits")
    states = [source.state.numpy() for _, layer in walk(model) for source in seed_generators(layer)]
    first, second = mc.predict(INPUTS, 3), mc.predict(INPUTS, 3)
    np.testing.assert_array_equal(first.probs, second.probs)
    np.testing.assert_array_equal(first.sample_entropy, second.sample_entropy)
    now = [source.state.numpy() for _, layer in walk(model) for source in seed_generators(layer)]
    np.testing.assert_array_equal(now, states)
    other = predictor(model, run_seed=1, outputs="logits").predict(INPUTS, 3)
    assert not np.array_equal(other.probs, first.probs)
    assert not np.array_equal(mc.predict(INPUTS, 4).probs, first.probs)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many samples each predictor that is traced computes at once."""
    found: list[int] = []
    while_loop = tf.while_loop

    def noted(*args: Any, parallel_iterations: int) -> Any:
        found.append(parallel_iterations)
        return while_loop(*args, parallel_iterations=parallel_iterations)

    monkeypatch.setattr(tf, "while_loop", noted)
    return found


def test_samples_that_are_computed_at_once_are_those_that_follow_each_other(
    at_once: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = sequential(layers.Dense(32), layers.Dropout(0.5))
    model = sequential(layers.Dropout(0.2), inner, layers.Dense(3, activation="softmax"))
    found = predictor(model).predict(INPUTS, 40)
    monkeypatch.setattr("dropout_lab.training.monte_carlo.all_hashed", lambda *_: False)
    expected = predictor(model).predict(INPUTS, 40)
    assert at_once == [2, 1]
    np.testing.assert_array_equal(found.probs, expected.probs)
    np.testing.assert_array_equal(found.sample_entropy, expected.sample_entropy)


@pytest.mark.parametrize(
    "part",
    [Count(), layers.TimeDistributed(layers.Dropout(0.5)), layers.SpatialDropout1D(0.5)],
    ids=["state", "loop", "other kind"],
)
def test_samples_follow_each_other_where_they_have_an_order(
    at_once: list[int], part: keras.layers.Layer
) -> None:
    model = sequential(layers.Dropout(0.5), part, layers.Flatten(), layers.Dense(3), shape=(5, 4))
    predictor(model).predict(np.zeros((2, 5, 4), np.float32), 2)
    assert set(at_once) == {1}


def test_each_batch_has_masks_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dropout_lab.training.monte_carlo.examples_that_fit", lambda *_: 2)
    same = np.ones((6, 4), np.float32)
    found = predictor(sequential(layers.Dropout(0.5)), outputs="logits").predict(same, 1)
    assert found.probs.shape == (6, 4)
    assert len(np.unique(found.probs, axis=0)) > 2


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_dropped_fractions_are_the_rate_and_samples_are_independent(rate: float) -> None:
    values = tf.ones((100, 1000))
    first, second = (drop(values, rate, *step_keys(7, tf.constant(sample))).numpy() == 0 for sample in (0, 1))
    # 6 standard deviations of a fraction: a false alarm in 5e8 seeds, were they drawn.
    bound = 6 * np.sqrt(rate * (1 - rate) / first.size)
    assert first.mean() == pytest.approx(rate, abs=bound)
    both = rate**2
    assert (first & second).mean() == pytest.approx(both, abs=6 * np.sqrt(both * (1 - both) / first.size))
    assert (first[:-1] & first[1:]).mean() == pytest.approx(
        both, abs=6 * np.sqrt(both * (1 - both) / first.size)
    )


def test_dropout_keeps_the_mean_and_the_type() -> None:
    values = tf.constant(np.linspace(1, 2, 8), tf.bfloat16)
    dropped = drop(values, 0.5, *step_keys(7, tf.constant(0)))
    assert dropped.dtype == tf.bfloat16
    kept = dropped.numpy() != 0
    np.testing.assert_array_equal(dropped.numpy()[kept], (values * 2).numpy()[kept])


def test_two_calls_of_one_layer_have_two_masks() -> None:
    inputs, layer = keras.Input((64,)), layers.Dropout(0.5)
    model = keras.Model(inputs, layers.Subtract()([layer(inputs), layer(inputs)]))
    assert predictor(model).predict(np.ones((3, 64), np.float32), 1).probs.any(axis=1).all()


def test_calls_of_the_model_are_plain_again_afterwards() -> None:
    model = sequential(layers.Dropout(0.5), layers.Dense(3))
    plain = model(INPUTS, training=False).numpy()
    predictor(model, outputs="logits").predict(INPUTS, 2)
    np.testing.assert_array_equal(model(INPUTS, training=False).numpy(), plain)
    assert all("call" not in vars(layer) for layer in model.layers)
    assert not np.array_equal(model(INPUTS, training=True).numpy(), plain)


def test_sites_with_rate_0_do_not_drop() -> None:
    model = sequential(layers.Dropout(0.0), layers.Dense(3))
    assert not predictor(model).has_dropout


class Block(layers.Layer):
    """A layer of the user's with dropout inside."""

    def __init__(self, **options):
        super().__init__(**options)
        self.attention = layers.MultiHeadAttention(2, 4, dropout=0.3)
        self.norm = layers.BatchNormalization()
        self.drop = layers.Dropout(0.3)

    def call(self, inputs, training=False):
        hidden = self.norm(self.attention(inputs, inputs), training=training)
        return self.drop(hidden, training=training)


class Whole(keras.Model):
    """A model of the user's without a graph."""

    def __init__(self, **options):
        super().__init__(**options)
        self.drop, self.classes = layers.Dropout(0.5), layers.Dense(3, activation="softmax")

    def call(self, inputs, training=False):
        return self.classes(self.drop(inputs, training=training))


def _convolutional() -> list[layers.Layer]:
    dropping = [layers.SpatialDropout2D(0.3), layers.Flatten(), layers.GaussianDropout(0.3)]
    return [layers.Conv2D(2, 3), layers.BatchNormalization(), *dropping, layers.AlphaDropout(0.3)]


def _recurrent() -> list[layers.Layer]:
    gru = layers.GRU(3, dropout=0.3, return_sequences=True)
    cells = layers.RNN([layers.LSTMCell(3, dropout=0.3), layers.LSTMCell(3)])
    each = layers.TimeDistributed(layers.Dropout(0.3))
    lstm = layers.LSTM(3, recurrent_dropout=0.3, return_sequences=True)
    return [layers.Masking(), each, layers.Bidirectional(lstm), gru, cells]


def _with_blocks() -> list[layers.Layer]:
    return [Block(), Block(), layers.GlobalAveragePooling1D()]


KINDS: dict[str, tuple[tuple[int, ...], Callable[[], list[layers.Layer]]]] = {
    "convolutional": ((6, 6, 1), _convolutional),
    "recurrent": ((5, 4), _recurrent),
    "blocks": ((5, 4), _with_blocks),
    "whole": ((4,), lambda: [Whole()]),
}


@pytest.mark.parametrize(
    "kind", [pytest.param(one, marks=pytest.mark.slow if one == "recurrent" else ()) for one in KINDS]
)
def test_networks_of_all_kinds_can_be_sampled(kind: str) -> None:
    shape, parts = KINDS[kind]
    with seeded(0):  # other weights may leave less to see
        model = sequential(*parts(), layers.Dense(3), shape=shape)
    weights = model.get_weights()
    inputs = np.random.default_rng(0).normal(size=(6, *shape)).astype(np.float32)
    mc = predictor(model, outputs="logits")
    found, again = mc.predict(inputs, 8), mc.predict(inputs, 8)
    np.testing.assert_array_equal(found.probs, again.probs)
    np.testing.assert_allclose(found.probs.sum(axis=1), 1, rtol=1e-5)
    assert (found.mutual_information > 1e-6).all()
    for now, then in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(now, then)


def test_an_attention_layer_drops_with_its_own_layer_and_an_lstm_as_a_whole() -> None:
    inputs = keras.Input((5, 4))
    attention = layers.MultiHeadAttention(2, 4, dropout=0.2)
    lstm = layers.LSTM(3, dropout=0.1, recurrent_dropout=0.2)
    model = keras.Model(inputs, lstm(attention(inputs, inputs)))
    found = layers_that_drop(Network(model=model, sites=find_sites(model)))
    assert list(found.values()) == [attention._dropout_layer, lstm]


def test_dropout_of_an_lstm_follows_its_rates() -> None:
    inputs = keras.Input((5, 4))
    model = keras.Model(inputs, layers.LSTM(3, dropout=0.5)(inputs))
    values = np.random.default_rng(0).normal(size=(200, 5, 4)).astype(np.float32)
    drawn = predictor(model).predict(values, 1).probs
    with_dropout = model(values, training=True).numpy()
    plain = model(values, training=False).numpy()
    spread, expected = np.abs(drawn - plain).mean(), np.abs(with_dropout - plain).mean()
    assert spread == pytest.approx(expected, rel=0.3)
    assert tf.reduce_any(drawn != plain)
