"""Which weights regularizers are about, and along which axes a unit's incoming weights lie."""

import keras
import numpy as np
import pytest
from keras import layers

from dropout_lab.models.kernels import incoming_weights, kernels


def test_kernels_are_neither_biases_nor_normalization() -> None:
    inputs = keras.Input((4, 6))
    attention = layers.MultiHeadAttention(2, 3)(inputs, inputs)
    normal = layers.LayerNormalization()(layers.BatchNormalization()(attention))
    recurrent = layers.GRU(5)(normal)
    model = keras.Model(inputs, layers.Dense(2)(recurrent))
    found = kernels(model)
    assert {variable.name for variable in found} == {"kernel", "recurrent_kernel"}
    assert len(found) == 4 + 2 + 1


@pytest.mark.parametrize(
    ("layer", "shape", "axes"),
    [
        (layers.Dense(3), (5,), {"kernel": (0,)}),
        (layers.Conv1D(3, 2), (5, 2), {"kernel": (0, 1)}),
        (layers.Conv2D(3, 2), (5, 5, 2), {"kernel": (0, 1, 2)}),
        (layers.Conv3D(3, 2), (5, 5, 5, 2), {"kernel": (0, 1, 2, 3)}),
        (layers.Conv2DTranspose(3, 2), (5, 5, 2), {"kernel": (0, 1, 3)}),
        (layers.DepthwiseConv2D(2, depth_multiplier=3), (5, 5, 2), {"kernel": (0, 1)}),
        (
            layers.SeparableConv2D(3, 2),
            (5, 5, 2),
            {"depthwise_kernel": (0, 1), "pointwise_kernel": (0, 1, 2)},
        ),
        (layers.Embedding(7, 3), (5,), {}),
    ],
)
def test_incoming_weights(layer: keras.layers.Layer, shape: tuple[int, ...], axes: dict[str, object]) -> None:
    model = keras.Sequential([keras.Input(shape), layer])
    assert {one.kernel.name: one.axes for one in incoming_weights(model)} == axes


def test_each_unit_has_one_sum_of_its_incoming_weights() -> None:
    """Units are what the shape of the output counts, so the axes leave exactly these."""
    for layer in (layers.Conv2D(3, 2), layers.Conv2DTranspose(3, 2), layers.Dense(3)):
        model = keras.Sequential([keras.Input((5, 5, 2)), layer])
        (one,) = incoming_weights(model)
        assert np.asarray(one.kernel).sum(axis=one.axes).shape == (3,)


def test_frozen_layers_are_left_out() -> None:
    model = keras.Sequential([keras.Input((5,)), layers.Dense(3, trainable=False), layers.Dense(2)])
    assert [one.kernel.shape for one in incoming_weights(model)] == [(3, 2)]
    assert [kernel.shape for kernel in kernels(model)] == [(3, 2)]
