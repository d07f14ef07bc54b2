"""Each block against the stock operations that it stands for."""

import numpy as np
import pytest
import tensorflow as tf

from dropout_lab.training.engines import blocks
from dropout_lab.training.engines.masks import Mask, example_keys, keep_scale, kept, random_words, threshold

SHAPE = (6, 4, 6, 5)
POOLED = (6, 2, 3, 5)
RATE = 0.4


@pytest.fixture
def mask() -> Mask:
    keys = example_keys(11, tf.constant(2, tf.int64), 0, SHAPE[0])
    return Mask(keys, tf.constant(threshold(RATE), tf.uint32), tf.constant(keep_scale(RATE), tf.float32))


def random(*shape: int, seed: int = 0) -> tf.Tensor:
    return tf.constant(np.random.default_rng(seed).normal(size=shape), tf.float32)


def stock_pool(h: tf.Tensor, bias: tf.Tensor, mask: Mask, drop_first: bool) -> tf.Tensor:
    words = random_words(mask.keys, POOLED[1:])
    keep = np.zeros(SHAPE if drop_first else POOLED, np.float32)
    if drop_first:
        for element in range(4):
            keep[:, element // 2 :: 2, element % 2 :: 2] = kept(words, element, threshold(RATE))
    else:
        keep[:] = kept(words, 0, threshold(RATE))
    h = tf.nn.relu(h + bias)
    h = h * keep * keep_scale(RATE) if drop_first else h
    h = tf.nn.max_pool2d(h, 2, 2, "VALID")
    return h if drop_first else h * keep * keep_scale(RATE)


@pytest.mark.parametrize("drop_first", [True, False])
def test_pool_and_unpool_are_relu_dropout_and_pooling(mask: Mask, drop_first: bool) -> None:
    h, bias, gradient = random(*SHAPE), random(5, seed=1), random(*POOLED, seed=2)
    with tf.GradientTape() as tape:
        tape.watch([h, bias])
        expected = stock_pool(h, bias, mask, drop_first)
    expected_by_h, expected_by_bias = tape.gradient(expected, [h, bias], output_gradients=gradient)
    output = blocks.pool(blocks.split_windows(h), bias, mask, drop_first=drop_first)
    np.testing.assert_allclose(output, expected, rtol=2**-21)
    by_h = tf.reshape(blocks.unpool(output, gradient, mask), SHAPE)
    np.testing.assert_allclose(by_h, expected_by_h, rtol=1e-6)
    np.testing.assert_allclose(
        blocks.bias_gradient(output, gradient, mask), expected_by_bias, rtol=1e-5, atol=1e-5
    )


def test_of_equal_elements_the_first_wins_as_in_stock_pooling() -> None:
    output = blocks.pool([tf.ones(POOLED)] * 4, tf.zeros(5), None, drop_first=True)
    passed = blocks.unpool(output, tf.ones(POOLED), None).numpy()
    assert passed[:, :, 0, :, 0].min() == 1
    assert passed.sum() == passed[:, :, 0, :, 0].sum()


def test_not_a_number_is_never_hidden() -> None:
    output = blocks.pool([tf.fill(POOLED, np.nan)] * 4, tf.zeros(5), None, drop_first=True)
    assert np.isnan(output).all()


def test_convolve_windows_is_a_padded_convolution() -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 8, 10), np.uint8)
    kernel = random(3, 3, 1, 7)
    expected = tf.nn.conv2d(images[..., None] / np.float32(255), kernel, 1, "VALID")
    for element, stock in zip(
        blocks.convolve_windows(tf.constant(images), kernel), blocks.split_windows(expected), strict=True
    ):
        np.testing.assert_allclose(element, stock, rtol=1e-5, atol=1e-5)


def test_drop_and_undrop_are_relu_and_dropout(mask: Mask) -> None:
    h, bias, gradient = random(6, 50), random(50, seed=1), random(6, 50, seed=2)
    keep = kept(random_words(mask.keys, (50,)), 0, threshold(RATE)).numpy()
    with tf.GradientTape() as tape:
        tape.watch(h)
        expected = tf.nn.relu(h + bias) * keep * keep_scale(RATE)
    output = blocks.drop(h, bias, mask)
    np.testing.assert_allclose(output, expected, rtol=1e-6)
    by_h = tape.gradient(expected, h, output_gradients=gradient)
    np.testing.assert_allclose(blocks.undrop(output, gradient, mask), by_h, rtol=1e-6)
