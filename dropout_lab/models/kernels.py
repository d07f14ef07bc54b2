"""The kernels of a network: the weights that weight decay, L2 penalties and norm limits are about."""

from collections.abc import Mapping
from dataclasses import dataclass

import keras

from dropout_lab.models.sites import walk

_ALL_UNITS, _IN_EACH_CHANNEL, _TRANSPOSED = (-1,), (-2, -1), (-2,)
_UNIT_AXES: tuple[tuple[tuple[str, ...], Mapping[str, tuple[int, ...]]], ...] = (
    (("Dense", "Conv1D", "Conv2D", "Conv3D"), {"kernel": _ALL_UNITS}),
    (("DepthwiseConv1D", "DepthwiseConv2D"), {"kernel": _IN_EACH_CHANNEL}),
    (("SeparableConv1D", "SeparableConv2D"),
     {"depthwise_kernel": _IN_EACH_CHANNEL, "pointwise_kernel": _ALL_UNITS}),
    (("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"), {"kernel": _TRANSPOSED}),
)  # fmt: skip
"""Layers of Keras, and the axes of their kernels that count units; along the others lie incoming weights."""


@dataclass(frozen=True)
class IncomingWeights:
    """A kernel by the units that it leads to.

    Attributes:
        kernel: Trainable variable.
        axes: Axes along which the incoming weights of one unit lie.
    """

    kernel: keras.Variable
    axes: tuple[int, ...]


def kernels(model: keras.Model) -> list[keras.Variable]:
    """Return the trainable weights with two or more axes, which leaves out biases and normalization."""
    return [
        variable
        for variable in model.trainable_variables
        if len(variable.shape) >= 2 and "bias" not in variable.name
    ]


def incoming_weights(model: keras.Model) -> list[IncomingWeights]:
    """Return the trainable kernels of dense and convolution layers of Keras, however deep in `model`."""
    trainable = {id(variable) for variable in model.trainable_variables}
    found = []
    for _, layer in walk(model):
        for kernel, unit_axes in _kernels_of(layer):
            rank = len(kernel.shape)
            if id(kernel) in trainable:
                axes = tuple(axis for axis in range(rank) if axis - rank not in unit_axes)
                found.append(IncomingWeights(kernel, axes))
    return found


def _kernels_of(layer: keras.layers.Layer) -> list[tuple[keras.Variable, tuple[int, ...]]]:
    for names, axes in _UNIT_AXES:
        if isinstance(layer, tuple(getattr(keras.layers, name) for name in names)):
            return [(getattr(layer, kernel), unit_axes) for kernel, unit_axes in axes.items()]
    return []
