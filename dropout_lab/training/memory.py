"""How many examples fit into memory at once."""

import math

import keras

LARGEST_BATCH = 1000
LARGEST_TENSOR = 2**26
"""Values in the largest activation of a batch: 256 MiB in float32."""


def examples_that_fit(model: keras.Model, largest_tensor: int = LARGEST_TENSOR) -> int:
    """Return how many examples to compute at once: fewer than `LARGEST_BATCH` if activations are large.

    Args:
        model: A built model. The activations inside layers that are not in its graph are not known.
        largest_tensor: Values in the largest activation of a batch.
    """
    return max(1, min(LARGEST_BATCH, largest_tensor // max(_activation_sizes(model), default=1)))


def _activation_sizes(model: keras.Model) -> list[int]:
    """Return the number of values per example of all tensors in the graphs of `model` and nested models."""
    sizes = []
    for layer in getattr(model, "layers", []):
        if isinstance(layer, keras.Model):
            sizes += _activation_sizes(layer)
        for node in getattr(layer, "_inbound_nodes", []):
            sizes += [math.prod(size or 1 for size in tensor.shape[1:]) for tensor in node.output_tensors]
    return sizes
