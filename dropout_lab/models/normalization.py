"""Batch normalization in the built-in networks."""

import keras


def activated(
    layer: keras.layers.Dense | keras.layers.Conv2D, *, normalize: bool
) -> list[keras.layers.Layer]:
    """Return `layer` as it is, or with batch normalization before its activation.

    The normalization stands between the sums of a layer and its activation (Ioffe and Szegedy, "Batch
    Normalization", ICML 2015, section 3.2). It draws no random numbers, so the other weights start equal.

    Args:
        layer: A layer with a name and an activation, not built.
        normalize: Whether its sums are normalized.
    """
    if not normalize:
        return [layer]
    activation, layer.activation = layer.activation, keras.activations.linear
    return [
        layer,
        keras.layers.BatchNormalization(name=f"{layer.name}_normalization"),
        keras.layers.Activation(activation, name=f"{layer.name}_activation"),
    ]
