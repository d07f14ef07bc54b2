"""L2, max-norm and label smoothing change a step as their definitions say, and nothing in the model."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from dropout_lab.data.scaling import Scaling
from dropout_lab.errors import UsageError
from dropout_lab.models.network import Network
from dropout_lab.spec import TrainingSpec
from dropout_lab.training.engines.keras_engine import KerasEngine
from dropout_lab.training.optimizers import build_optimizer
from dropout_lab.training.regularizers import Regularizers

NUM_EXAMPLES, NUM_CLASSES = 24, 3
RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.normal(size=(NUM_EXAMPLES, 5, 5, 2)).astype(np.float32)
LABELS = np.arange(NUM_EXAMPLES) % NUM_CLASSES
BATCHES = np.arange(NUM_EXAMPLES).reshape(2, 12)


def model_of(activation: str | None = "softmax", **options: Any) -> keras.Model:
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((5, 5, 2)),
            layers.Conv2D(4, 3, activation="relu", **options),
            layers.Flatten(),
            layers.Dense(NUM_CLASSES, activation=activation, **options),
        ]
    )


def engine_of(model: keras.Model, outputs: str = "probabilities", **training: Any) -> KerasEngine:
    spec = TrainingSpec(optimizer="sgd", learning_rate=0.1, **training)
    network = Network(model=model, sites=(), outputs=outputs)  # type: ignore[arg-type]
    optimizer = build_optimizer(spec, model)
    return KerasEngine(network, optimizer, IMAGES, LABELS, Scaling(), Regularizers.of(spec, network))


def fitted(model: keras.Model, loss: Any) -> keras.Model:
    """Return `model` after the steps of `BATCHES` by Keras itself."""
    model.compile(keras.optimizers.SGD(0.1), loss)
    model.fit(IMAGES, loss_labels(loss), batch_size=12, shuffle=False, verbose=0)
    return model


def loss_labels(loss: Any) -> np.ndarray:
    return np.eye(NUM_CLASSES)[LABELS] if isinstance(loss, keras.losses.CategoricalCrossentropy) else LABELS


def assert_equal_weights(one: keras.Model, other: keras.Model) -> None:
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_l2_is_that_of_regularizers_in_the_layers() -> None:
    ours = model_of()
    loss, _ = engine_of(ours, l2=0.05).run(BATCHES, 0)
    theirs = fitted(
        model_of(kernel_regularizer=keras.regularizers.L2(0.05)), "sparse_categorical_crossentropy"
    )
    assert_equal_weights(ours, theirs)
    plain = model_of()
    plain_loss, _ = engine_of(plain).run(BATCHES[:1], 0)
    first_loss, _ = engine_of(model_of(), l2=0.05).run(BATCHES[:1], 0)
    assert first_loss == plain_loss  # the loss that is logged has no penalty
    assert np.isfinite(loss)


@pytest.mark.slow
def test_the_step_of_l2_is_twice_the_factor_times_the_weight() -> None:
    plain, penalized = model_of(), model_of()
    before = penalized.get_weights()
    engine_of(plain).run(BATCHES[:1], 0)
    engine_of(penalized, l2=0.05).run(BATCHES[:1], 0)
    moves = [b - a for a, b in zip(plain.get_weights(), penalized.get_weights(), strict=True)]
    for move, weight in zip(moves, before, strict=True):
        expected = -0.1 * 2 * 0.05 * weight if weight.ndim > 1 else np.zeros_like(weight)
        np.testing.assert_allclose(move, expected, rtol=1e-3, atol=1e-6)


@pytest.mark.slow
def test_a_regularizer_of_the_network_itself_counts_too() -> None:
    ours, theirs = (model_of(kernel_regularizer=keras.regularizers.L2(factor)) for factor in (0.02, 0.05))
    engine_of(ours, l2=0.03).run(BATCHES, 0)
    engine_of(theirs).run(BATCHES, 0)
    assert_equal_weights(ours, theirs)


@pytest.mark.slow
@pytest.mark.parametrize(("activation", "outputs"), [("softmax", "probabilities"), (None, "logits")])
def test_label_smoothing_is_that_of_keras(activation: str | None, outputs: str) -> None:
    ours = model_of(activation)
    loss, _ = engine_of(ours, outputs, label_smoothing=0.2).run(BATCHES, 0)
    smoothed = keras.losses.CategoricalCrossentropy(from_logits=outputs == "logits", label_smoothing=0.2)
    assert_equal_weights(ours, fitted(model_of(activation), smoothed))
    plain_loss, _ = engine_of(model_of(activation), outputs).run(BATCHES[:1], 0)
    smoothed_loss, _ = engine_of(model_of(activation), outputs, label_smoothing=0.2).run(BATCHES[:1], 0)
    assert smoothed_loss == plain_loss  # the loss that is logged has the plain labels
    assert np.isfinite(loss)


def test_smoothed_labels_are_those_of_the_paper() -> None:
    probs = tf.constant([[0.7, 0.2, 0.1]])
    regularizers = Regularizers(label_smoothing=0.3)
    smoothed = regularizers.minimized(tf.constant([1]), probs, tf.constant([0.0]), from_logits=False)
    expected = -np.dot([0.1, 0.8, 0.1], np.log([0.7, 0.2, 0.1]))
    np.testing.assert_allclose(smoothed, [expected], rtol=1e-5)


def norms(model: keras.Model) -> list[np.ndarray]:
    convolution, dense = model.layers[0].kernel.numpy(), model.layers[2].kernel.numpy()
    return [np.linalg.norm(convolution.reshape(-1, 4), axis=0), np.linalg.norm(dense, axis=0)]


@pytest.mark.slow
def test_max_norm_is_that_of_constraints_in_the_layers() -> None:
    limit, ours, theirs = 0.8, model_of(), model_of()
    theirs.layers[0].kernel.constraint = keras.constraints.MaxNorm(limit, axis=[0, 1, 2])
    theirs.layers[2].kernel.constraint = keras.constraints.MaxNorm(limit, axis=0)
    assert all((before > limit).any() for before in norms(ours))
    engine_of(ours, max_norm=limit).run(BATCHES, 0)
    assert all((after <= limit * (1 + 1e-6)).all() for after in norms(ours))
    assert_equal_weights(ours, fitted(theirs, "sparse_categorical_crossentropy"))


@pytest.mark.slow
def test_a_norm_limit_that_is_not_reached_changes_no_bit() -> None:
    plain, limited = model_of(), model_of()
    engine_of(plain).run(BATCHES, 0)
    engine_of(limited, max_norm=100).run(BATCHES, 0)
    for a, b in zip(plain.get_weights(), limited.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_model_is_left_as_it_was_built() -> None:
    model = model_of()
    before = model.get_config()
    engine_of(model, l2=0.1, max_norm=1, label_smoothing=0.1, weight_decay=0.1).run(BATCHES, 0)
    assert model.get_config() == before
    assert model.losses == []
    assert all(variable.constraint is None for variable in model.variables)
    assert all(variable.regularizer is None for variable in model.trainable_variables)


def test_a_norm_limit_needs_a_layer_that_it_applies_to() -> None:
    model = keras.Sequential([keras.Input((4, 6)), layers.GRU(3, activation="softmax")])
    network = Network(model=model, sites=())
    with pytest.raises(UsageError, match="no dense or convolution layer"):
        Regularizers.of(TrainingSpec(max_norm=1), network)
