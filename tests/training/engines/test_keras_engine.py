"""The engine of Keras layers trains any classifier as `fit` does, and sees what its layers drop."""

from collections.abc import Sequence

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from dropout_lab.data.scaling import Scaling
from dropout_lab.models.network import Network
from dropout_lab.models.sites import find_sites
from dropout_lab.training.checkpoints import load_checkpoint, save_checkpoint, state_variables
from dropout_lab.training.engines.adam import can_fuse
from dropout_lab.training.engines.keras_engine import FEW_VARIABLES, KerasEngine
from dropout_lab.training.progress import Progress

NUM_EXAMPLES = 60
LABELS = np.arange(NUM_EXAMPLES) % 3
BATCHES = np.arange(NUM_EXAMPLES).reshape(3, 20)
AS_THEY_ARE = Scaling()


def normalizing() -> keras.Model:
    """Return a network with statistics, penalties and logits, one part of it nested."""
    inner = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(8, use_bias=False, kernel_regularizer="l2"),
            layers.BatchNormalization(momentum=0.5),
            layers.Dropout(0.3, name="drop"),
            layers.ActivityRegularization(0.01),
        ],
        name="inner",
    )
    return keras.Sequential([keras.Input((6,)), inner, layers.Dense(3)])


def values(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(NUM_EXAMPLES, *shape)).astype(np.float32)


def engine_of(
    model: keras.Model, inputs: np.ndarray, *, outputs: str = "logits", epsilon: float = 1e-7
) -> KerasEngine:
    network = Network(model=model, sites=find_sites(model), outputs=outputs)  # type: ignore[arg-type]
    optimizer = keras.optimizers.Adam(0.01, epsilon=epsilon)
    optimizer.build(model.trainable_variables)
    return KerasEngine(network, optimizer, inputs, LABELS, AS_THEY_ARE)


def seeded(seed: int, model: keras.Model) -> keras.Model:
    for number, layer in enumerate(model._flatten_layers()):
        if getattr(layer, "seed_generator", None) is not None:
            layer.seed_generator.state.assign([seed + number, 0])
    return model


def test_statistics_penalties_and_logits_are_trained_as_fit_trains_them() -> None:
    ours, theirs = seeded(1, normalizing()), seeded(1, normalizing())
    theirs.set_weights(ours.get_weights())
    inputs = values(6)
    engine = engine_of(ours, inputs)
    loss, num_correct = engine.run(BATCHES, 0)
    theirs.compile(
        keras.optimizers.Adam(0.01),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy", keras.metrics.SparseCategoricalCrossentropy(from_logits=True, name="xent")],
    )
    history = theirs.fit(inputs, LABELS, batch_size=20, shuffle=False, verbose=0).history
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-5)
    assert len(ours.non_trainable_weights) == 2
    # The loss of an epoch is the cross-entropy, without penalties.
    assert loss / NUM_EXAMPLES == pytest.approx(history["xent"][0], rel=1e-4)
    assert history["loss"][0] > history["xent"][0] + 0.01
    assert num_correct / NUM_EXAMPLES == pytest.approx(history["accuracy"][0])


def test_training_from_a_checkpoint_is_bit_identical(tmp_path) -> None:  # type: ignore[no-untyped-def]
    inputs = values(6)
    whole = seeded(1, normalizing())
    engine = engine_of(whole, inputs)
    initial = whole.get_weights()
    engine.run(BATCHES[:1], 0)
    path = save_checkpoint(tmp_path, Progress(), state_variables(whole, engine._optimizer))
    engine.run(BATCHES[1:], 1)

    resumed = seeded(9, normalizing())
    other = engine_of(resumed, inputs)
    other.run(BATCHES[:1], 0)  # another state, to be replaced
    load_checkpoint(path, state_variables(resumed, other._optimizer))
    other.run(BATCHES[1:], 1)
    for mine, theirs in zip(whole.variables, resumed.variables, strict=True):
        assert np.array_equal(mine.numpy(), theirs.numpy()), mine.path
    assert any((a != b).any() for a, b in zip(initial, whole.get_weights(), strict=True))


class Attention(layers.Layer):
    """A layer of a user's: Dropout layers inside layers are seen, too."""

    def __init__(self) -> None:
        super().__init__(name="block")
        self.attention = layers.MultiHeadAttention(2, 4, dropout=0.4, name="attention")
        self.drop = layers.Dropout(0.2, name="drop")

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        return self.drop(self.attention(inputs, inputs, training=training), training=training)


def shared_dropout(inputs: Sequence[int]) -> keras.Model:
    images = keras.Input(inputs)
    drop = layers.Dropout(0.5, name="twice")
    x = drop(layers.Conv2D(4, 3)(images))
    x = layers.SpatialDropout2D(0.25, name="channels")(layers.Conv2D(16, 1)(x))
    x = layers.GaussianDropout(0.3, name="noise")(x)
    x = layers.Dropout(0.4, noise_shape=(None, 1, 1, 1), name="examples")(x)
    return keras.Model(images, layers.Dense(3)(drop(layers.Flatten()(x))))


def test_what_layers_drop_is_seen_wherever_they_are() -> None:
    for model, inputs, expected in (
        (normalizing(), values(6), {"inner/drop": 0.3}),
        (shared_dropout((8, 8, 1)), values(8, 8, 1), {"twice": 0.5, "channels": 0.25, "examples": 0.4}),
    ):
        engine = engine_of(seeded(3, model), inputs)
        before = [variable.numpy() for variable in model.variables]
        seen = {one.layer: one for one in engine.observe_dropout(0)}
        assert set(seen) == set(expected)
        for name, rate in expected.items():
            one = seen[name]
            n = one.num_examined
            assert abs(one.num_dropped - n * rate) < 6 * np.sqrt(n * rate * (1 - rate)), name
            assert one.num_split == 0
            assert (one.kept[0] != one.kept[1]).any()
        for variable, value in zip(model.variables, before, strict=True):
            assert np.array_equal(variable.numpy(), value), variable.path
    # Whole channels and whole examples are the elements.
    assert seen["channels"].examined.shape == (2, NUM_EXAMPLES * 16)
    assert seen["examples"].examined.shape == (2, NUM_EXAMPLES)


def test_dropout_in_layers_of_the_user_is_seen_and_in_recurrent_layers_it_is_not() -> None:
    tokens = keras.Input((5,))
    x = layers.Embedding(50, 8)(tokens)
    x = Attention()(x)
    x = layers.LSTM(4, dropout=0.3, recurrent_dropout=0.3)(x)
    model = keras.Model(tokens, layers.Dense(3, activation="softmax")(x))
    inputs = np.random.default_rng(0).integers(0, 50, (NUM_EXAMPLES, 5))
    engine = engine_of(model, inputs, outputs="probabilities")
    seen = {one.layer: one.num_dropped / one.num_examined for one in engine.observe_dropout(0)}
    assert seen == pytest.approx({"block/attention": 0.4, "block/drop": 0.2}, abs=0.1)
    loss, _ = engine.run(BATCHES, 0)
    assert np.isfinite(loss)


def test_a_channel_that_is_dropped_in_part_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    model = shared_dropout((8, 8, 1))
    layer = model.get_layer("channels")
    monkeypatch.setattr(layer, "_get_noise_shape", lambda _: None)
    (seen,) = [one for one in engine_of(model, values(8, 8, 1)).observe_dropout(0) if one.layer == "channels"]
    assert seen.num_split > 100


def test_a_model_of_many_variables_is_updated_as_by_keras() -> None:
    deep = [layers.Dense(4, activation="tanh") for _ in range(FEW_VARIABLES // 2 + 1)]
    ours = keras.Sequential([keras.Input((6,)), *deep, layers.Dense(3)])
    theirs = keras.models.clone_model(ours)
    theirs.set_weights(ours.get_weights())
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    theirs.compile(keras.optimizers.Adam(0.01, epsilon=1e-3), loss)
    inputs = values(6)
    theirs.fit(inputs, LABELS, batch_size=20, shuffle=False, verbose=0)
    engine = engine_of(ours, inputs, epsilon=1e-3)
    assert can_fuse(engine._optimizer, ours.trainable_variables, [tf.zeros(v.shape) for v in ours.variables])
    engine.run(BATCHES, 0)
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-5)
    assert int(engine._optimizer.iterations.numpy()) == 3


def test_only_a_plain_adam_of_dense_gradients_is_fused() -> None:
    variable, bounded = (keras.Variable(np.ones(3, np.float32)) for _ in range(2))
    bounded.constraint = keras.constraints.NonNeg()
    dense = tf.ones(3)
    sparse = tf.IndexedSlices(dense[:1], tf.constant([0]))
    adam = keras.optimizers.Adam()
    assert can_fuse(adam, [variable], [dense])
    assert not can_fuse(adam, [variable], [sparse])
    assert not can_fuse(adam, [variable], [None])
    assert not can_fuse(adam, [bounded], [dense])
    assert not can_fuse(keras.optimizers.SGD(), [variable], [dense])
    assert not can_fuse(keras.optimizers.LossScaleOptimizer(adam), [variable], [dense])
