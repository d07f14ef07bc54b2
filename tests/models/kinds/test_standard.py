"""Standard dropout does what Keras expects of its own layer."""

import numpy as np
import pytest

from dropout_lab.models.kinds import StandardDropout


def test_half_of_ones_becomes_2() -> None:
    outputs = StandardDropout(0.5, 1)(np.ones((20, 500)), training=True).numpy()
    assert set(np.unique(outputs)) == {0, 2}
    # 10,000 fair coins: a standard deviation of 0.005 in the fraction, and twice that in the mean.
    assert abs(outputs.mean() - 1) < 5 * 2 * 0.005


@pytest.mark.parametrize("noise_shape", [(None, 1, None), [20, 1, 10]])
def test_a_noise_shape_is_broadcast(noise_shape) -> None:
    layer = StandardDropout(0.5, 1, noise_shape=noise_shape)
    assert layer.noise_shape == tuple(noise_shape)
    outputs = layer(np.ones((20, 5, 10)), training=True).numpy()
    np.testing.assert_array_equal(outputs, np.broadcast_to(outputs[:, :1], outputs.shape))
    assert len(np.unique(outputs[:, 0])) == 2


@pytest.mark.parametrize("noise_shape", ["Invalid", 3, (20, 1.5, 10), (20, -1, 10), (20, 0, 10)])
def test_other_noise_shapes_are_refused(noise_shape) -> None:
    with pytest.raises(ValueError, match="argument `noise_shape`"):
        StandardDropout(0.5, noise_shape=noise_shape)


@pytest.mark.parametrize("rate", [0.3, 0.02])
def test_the_fraction_is_exact_in_bfloat16(rate: float) -> None:
    outputs = StandardDropout(rate, 1, dtype="mixed_bfloat16")(np.ones((500, 1000)), training=True)
    dropped = (np.asarray(outputs).astype(np.float32) == 0).mean()
    # 5 standard deviations are 0.0033; numbers of 8 bits give 0.306 for 0.3.
    assert abs(dropped - rate) < 5 * np.sqrt(rate * (1 - rate) / 500_000)
