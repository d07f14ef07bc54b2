"""Stochastic depth drops the whole branch of an example."""

import keras
import numpy as np

from dropout_lab.models.kinds import StochasticDepth


def test_an_example_keeps_its_branch_or_loses_it() -> None:
    outputs = StochasticDepth(0.25, 1)(np.ones((4000, 3, 2)), training=True).numpy().reshape(4000, -1)
    np.testing.assert_array_equal(outputs, np.broadcast_to(outputs[:, :1], outputs.shape))
    np.testing.assert_allclose(np.unique(outputs), [0, 1 / 0.75], rtol=1e-6)
    assert abs((outputs[:, 0] == 0).mean() - 0.25) < 5 * np.sqrt(0.25 * 0.75 / 4000)


def test_a_dropped_branch_leaves_the_shortcut_and_gets_no_gradient() -> None:
    inputs = keras.Input((4,))
    branch = StochasticDepth(0.5, 1)(keras.layers.Dense(4, kernel_initializer="ones")(inputs))
    model = keras.Model(inputs, keras.layers.Add()([inputs, branch]))
    examples = np.arange(80, dtype=np.float32).reshape(20, 4) + 1
    outputs = model(examples, training=True).numpy()
    alone = (outputs == examples).all(axis=1)
    assert 0 < alone.sum() < 20
    expected = examples + 2 * examples.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(outputs[~alone], expected[~alone], rtol=1e-6)
