"""Gaussian dropout multiplies by noise with the variance of standard dropout."""

import numpy as np
import pytest
import tensorflow as tf

from dropout_lab.models.kinds import GaussianDropout


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.5])
def test_noise_has_mean_1_and_variance_rate_over_keep(rate: float) -> None:
    noise = GaussianDropout(rate, 1)(np.ones((40, 500)), training=True).numpy()
    sigma = np.sqrt(rate / (1 - rate))
    assert abs(noise.mean() - 1) < 5 * sigma / np.sqrt(noise.size)
    assert abs(noise.std() - sigma) < 5 * sigma / np.sqrt(2 * noise.size)


def test_the_gradient_is_the_noise() -> None:
    inputs = tf.constant(np.full((20, 50), 2.0, np.float32))
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = GaussianDropout(0.3, 1)(inputs, training=True)
    np.testing.assert_allclose(tape.gradient(outputs, inputs), outputs / 2, rtol=1e-6)
