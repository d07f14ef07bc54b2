"""Alpha dropout keeps the mean and the variance of self-normalizing networks."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dropout_lab.models.kinds import AlphaDropout, StandardDropout


def behind(layer_class: type, rate: float, depth: int) -> np.ndarray:
    """Return the outputs of `depth` SELU layers, each followed by dropout."""
    hidden = np.random.default_rng(0).normal(size=(500, 256)).astype(np.float32)
    for number in range(depth):
        initial = keras.initializers.LecunNormal(seed=number)
        hidden = keras.layers.Dense(256, "selu", kernel_initializer=initial)(hidden)
        hidden = layer_class(rate, number)(hidden, training=True)
    return hidden.numpy()


@pytest.mark.parametrize("rate", [0.05, 0.1, 0.3])
def test_mean_and_variance_hold_behind_selu(rate: float) -> None:
    outputs = behind(AlphaDropout, rate, depth=8)
    assert abs(outputs.mean()) < 0.1
    assert abs(outputs.var() - 1) < 0.15


def test_standard_dropout_does_not_hold_them() -> None:
    assert abs(behind(StandardDropout, 0.3, depth=8).var() - 1) > 0.15


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.5])
def test_moments_of_normal_inputs_are_kept(rate: float) -> None:
    inputs = np.random.default_rng(0).normal(size=(200, 500)).astype(np.float32)
    outputs = AlphaDropout(rate, 1)(inputs, training=True).numpy()
    assert abs(outputs.mean()) < 5 / np.sqrt(outputs.size)
    assert abs(outputs.var() - 1) < 0.03


def test_what_is_dropped_is_the_saturation_value() -> None:
    rate, alpha_scale = 0.3, 1.6732632 * 1.0507010
    outputs = AlphaDropout(rate, 1)(np.full((200, 500), 5.0), training=True).numpy()
    factor = ((1 - rate) * (1 + rate * alpha_scale**2)) ** -0.5
    shift = factor * alpha_scale * rate
    np.testing.assert_allclose(
        np.unique(outputs), [shift - factor * alpha_scale, 5 * factor + shift], rtol=1e-5
    )
    assert abs((outputs < 0).mean() - rate) < 5 * np.sqrt(rate * (1 - rate) / outputs.size)


@pytest.mark.parametrize("noise_shape", [(None, 1, None), (20, 1, 10)])
def test_a_noise_shape_is_broadcast(noise_shape) -> None:
    outputs = AlphaDropout(0.5, 1, noise_shape=noise_shape)(np.ones((20, 5, 10)), training=True).numpy()
    np.testing.assert_array_equal(outputs, np.broadcast_to(outputs[:, :1], outputs.shape))


def test_the_gradient_is_0_where_dropped_and_the_factor_elsewhere() -> None:
    rate, alpha_scale = 0.3, 1.6732632 * 1.0507010
    factor = ((1 - rate) * (1 + rate * alpha_scale**2)) ** -0.5
    inputs = tf.constant(np.random.default_rng(0).normal(5, 1, (20, 50)).astype(np.float32))
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = AlphaDropout(rate, 1)(inputs, training=True)
    gradient = tape.gradient(outputs, inputs).numpy()
    is_dropped = outputs.numpy() < 0  # inputs are far above 0
    assert 0 < is_dropped.sum() < is_dropped.size
    np.testing.assert_array_equal(gradient[is_dropped], 0)
    np.testing.assert_allclose(gradient[~is_dropped], factor, rtol=1e-5)
