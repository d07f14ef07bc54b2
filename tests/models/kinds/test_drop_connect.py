"""DropConnect drops weights, keeps the mean of the kernel, and leaves the bias alone."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dropout_lab.models.kinds import DropConnectConv2D, DropConnectDense


def dense(rate: float, **options) -> DropConnectDense:
    layer = DropConnectDense(
        rate, 1, units=6, bias_initializer="ones", kernel_initializer="glorot_normal", **options
    )
    layer.build((None, 8))
    return layer


def used_kernel(layer: DropConnectDense) -> np.ndarray:
    """Return the kernel of one training step."""
    return layer(np.eye(8, dtype=np.float32), training=True).numpy() - 1


def test_weights_are_0_or_scaled_and_their_mean_is_kept() -> None:
    layer = dense(0.3)
    kernel = layer.kernel.numpy()
    kernels = np.stack([used_kernel(layer) for _ in range(100)])
    ratios = kernels / kernel
    np.testing.assert_allclose(np.unique(ratios.round(2)), [0, 1.43], rtol=1e-6)
    assert abs((np.abs(ratios) < 0.5).mean() - 0.3) < 5 * np.sqrt(0.3 * 0.7 / ratios.size)
    assert np.abs(ratios.mean(axis=0) - 1).max() < 6 * np.sqrt(0.3 / 0.7 / 100)


def test_all_examples_of_a_batch_share_a_mask() -> None:
    outputs = dense(0.5)(np.ones((5, 8), np.float32), training=True).numpy()
    np.testing.assert_allclose(outputs, np.broadcast_to(outputs[:1], outputs.shape), rtol=1e-6)


def test_dropped_weights_get_no_gradient_and_the_bias_gets_all() -> None:
    layer = dense(0.5)
    with tf.GradientTape() as tape:
        outputs = layer(np.eye(8, dtype=np.float32), training=True)
    kernel, bias = tape.gradient(outputs, [layer.kernel.value, layer.bias.value])
    np.testing.assert_array_equal(kernel.numpy() == 0, outputs.numpy() == 1)
    assert set(np.unique(kernel)) == {0, 2}
    np.testing.assert_array_equal(bias, 8)


def test_mixed_precision_draws_in_float32() -> None:
    half, full = dense(0.3, dtype="mixed_bfloat16"), dense(0.3)
    half.kernel.assign(np.full((8, 6), 0.5))
    full.kernel.assign(np.full((8, 6), 0.5))
    outputs = half(np.eye(8, dtype=np.float32), training=True)
    assert outputs.dtype == "bfloat16"
    np.testing.assert_array_equal(
        np.asarray(outputs).astype(np.float32) > 1.2, full(np.eye(8), training=True).numpy() > 1.2
    )


@pytest.mark.parametrize(
    "options",
    [{"padding": "same", "strides": 2}, {"use_bias": False}, {"activation": "relu", "dilation_rate": 2}],
)
def test_a_convolution_is_that_of_keras_with_the_dropped_kernel(options) -> None:
    layer = DropConnectConv2D(0.4, 1, filters=3, kernel_size=2, **options)
    images = np.random.default_rng(0).normal(size=(2, 6, 6, 2)).astype(np.float32)
    layer.build(images.shape)
    kernel = keras.layers.Dropout(0.4, seed=1)(layer.kernel.value, training=True)
    stock = keras.layers.Conv2D(3, 2, **options)
    stock.build(images.shape)
    stock.set_weights([kernel, *layer.get_weights()[1:]])
    np.testing.assert_allclose(layer(images, training=True), stock(images), rtol=1e-5, atol=1e-6)
