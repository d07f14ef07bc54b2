"""Probabilistic weighted pooling: the inference rule for dropout right before max-pooling.

With dropout in front, the maximum of a window is its i-th largest activation if that one is kept and all
larger ones are dropped. The rule takes the mean over all masks; weight scaling takes the largest activation.

Source: Wu & Gu 2015, "Towards Dropout Training for Convolutional Neural Networks" (arXiv 1512.00242),
section 3.
"""

from collections.abc import Iterable, Sequence

import keras
from keras import ops

from dropout_lab.errors import UsageError
from dropout_lab.models.keras_internals import seeded
from dropout_lab.models.kinds import StandardDropout
from dropout_lab.models.network import Network
from dropout_lab.models.sites import Site, walk

STANDARD = (keras.layers.Dropout, StandardDropout)


def weighted_pooling_model(network: Network) -> keras.Model:
    """Return a copy of the model with max-pooling replaced where standard dropout comes right before it.

    All other layers, and dropout elsewhere, are as at inference in the original.

    Args:
        network: Network with its current weights and rates.

    Raises:
        UsageError: If it has no such pooling, or is no model that Keras can copy layer by layer.
    """
    replaced = []
    try:
        with seeded(0), keras.saving.custom_object_scope(dict(network.custom_objects)):
            # A layer that was used before, in another model, has several inputs. Its copy has one.
            fresh = keras.models.clone_model(network.model, clone_function=_copy, recursive=True)
            rates = _rates_before(fresh, network.sites)

            def replace(layer: keras.layers.Layer) -> keras.layers.Layer:
                rate = rates.get(_tensor(layer, "input"))
                if rate is None or not _is_max_pooling(layer):
                    return _copy(layer)
                replaced.append(layer)
                return WeightedPooling2D(layer, rate)

            model = keras.models.clone_model(fresh, clone_function=replace, recursive=True)
    except (ValueError, TypeError, NotImplementedError):  # a class of the user's
        replaced = []
    if not replaced:
        raise UsageError(
            "Probabilistic weighted pooling does not apply: the network has no standard dropout directly"
            " before max-pooling (MaxPooling2D).",
            hint="The published network has with model.dropout_position=before_pooling.",
        )
    model.set_weights(network.model.get_weights())
    return model


class WeightedPooling2D(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """The mean of max-pooling over all dropout masks.

    Args:
        pooling: The layer that it replaces, with channels last.
        rate: Dropout rate before it.
    """

    def __init__(self, pooling: keras.layers.MaxPooling2D, rate: float) -> None:
        super().__init__(name=pooling.name, dtype=pooling.dtype_policy)
        self._pool_size, self._strides = pooling.pool_size, pooling.strides
        self._padding = pooling.padding
        self._rate = rate

    def call(self, activations: keras.KerasTensor) -> keras.KerasTensor:
        """Return the expected maximum of each window, for activations (batch, height, width, channels)."""
        window = _window(activations, self._pool_size, self._strides, self._padding)
        return ops.cast(expected_maximum(window, self._rate), activations.dtype)


def expected_maximum(window: Sequence[keras.KerasTensor], rate: float) -> keras.KerasTensor:
    """Return the mean, over all masks of inverted dropout, of the maximum of a window.

    With the activations in descending order and q the rate, the i-th largest (from 0) is the maximum with
    probability (1 - q) q^i, and is scaled by 1 / (1 - q): its weight is q^i. Dropped activations are 0, so
    negative ones count only where none is positive and none is dropped, which the paper (ReLU) does not need.

    Args:
        window: The activations of a window, tensors of one shape; -inf for places outside the image.
        rate: Dropout rate, in [0, 1).

    Returns:
        A tensor of that shape, in float32.
    """
    ordered = _descending([ops.cast(values, "float32") for values in window])
    size = sum(ops.cast(values > -float("inf"), "float32") for values in ordered)
    if_all_kept = ops.minimum(ordered[0], 0.0) * (1 - rate) ** (size - 1)
    return sum((rate**i * ops.relu(values) for i, values in enumerate(ordered)), start=if_all_kept)


def _descending(values: list[keras.KerasTensor]) -> list[keras.KerasTensor]:
    """Sort tensors element by element, by odd-even transposition: faster than sorting along a new axis."""
    for turn in range(len(values)):
        for i in range(turn % 2, len(values) - 1, 2):
            values[i : i + 2] = ops.maximum(*values[i : i + 2]), ops.minimum(*values[i : i + 2])
    return values


def _window(
    activations: keras.KerasTensor, size: tuple[int, int], strides: tuple[int, int], padding: str
) -> list[keras.KerasTensor]:
    """Return the activations at each place of max-pooling's windows, (batch, rows, columns, channels)."""
    if padding == "same":
        frame = [_margins(*one) for one in zip(activations.shape[1:3], size, strides, strict=True)]
        activations = ops.pad(activations, [(0, 0), *frame, (0, 0)], constant_values=-float("inf"))
    rows, columns = (
        (length - window) // stride + 1
        for length, window, stride in zip(activations.shape[1:3], size, strides, strict=True)
    )
    return [
        activations[
            :,
            row : row + (rows - 1) * strides[0] + 1 : strides[0],
            column : column + (columns - 1) * strides[1] + 1 : strides[1],
        ]
        for row in range(size[0])
        for column in range(size[1])
    ]


def _margins(length: int, window: int, stride: int) -> tuple[int, int]:
    """Return the places that padding "same" adds before and after."""
    added = max((-(-length // stride) - 1) * stride + window - length, 0)
    return added // 2, added - added // 2


def _copy(layer: keras.layers.Layer) -> keras.layers.Layer:
    return type(layer).from_config(layer.get_config())


def _rates_before(model: keras.Model, sites: Iterable[Site]) -> dict[int | None, float]:
    """Return the rate of each site of standard dropout by the identity of its output in `model`."""
    by_path = dict(walk(model))
    rates: dict[int | None, float] = {}
    for site in sites:
        layer = by_path.get(site.path, model)
        output = _tensor(layer, "output")
        if output is not None and type(layer) in STANDARD and layer.noise_shape is None:
            rates[output] = site.rate
    return rates


def _is_max_pooling(layer: keras.layers.Layer) -> bool:
    return isinstance(layer, keras.layers.MaxPooling2D) and layer.data_format == "channels_last"


def _tensor(layer: keras.layers.Layer, end: str) -> int | None:
    """Return the identity of the tensor at an end of `layer`; None if it has several or is in other code."""
    try:
        return id(getattr(layer, end))
    except (AttributeError, ValueError):
        return None
