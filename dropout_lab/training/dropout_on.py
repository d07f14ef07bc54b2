"""Call the layers of a network that drop as in training, and no others."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from dropout_lab.models.keras_internals import sublayers
from dropout_lab.models.kinds import StandardDropout
from dropout_lab.models.network import Network
from dropout_lab.models.sites import LAYERS, walk
from dropout_lab.seeds import derive_seed
from dropout_lab.training.engines.masks import hashed, step_keys
from dropout_lab.training.replacing import replaced

PURPOSE = "monte carlo"
"""Name of the random numbers."""

Layers = Mapping[str, keras.layers.Layer]
"""Layers by path."""


def layers_that_drop(network: Network) -> Layers:
    """Return the layers that drop units if they, and no others, are called as in training."""
    by_path = dict(walk(network.model))
    found: dict[str, keras.layers.Layer] = {}
    for site in network.sites:
        if site.rate > 0:
            # An attention layer drops with a layer of its own. A recurrent one may not call its cell.
            layer = by_path[site.path]
            parts = {} if site.argument == "rate" else _dropout_parts(layer, site.path)
            found |= parts or {site.path: layer}
    return found


def _dropout_parts(layer: keras.layers.Layer, path: str) -> dict[str, keras.layers.Layer]:
    return {f"{path}/{part.name}": part for part in sublayers(layer) if isinstance(part, LAYERS)}


@contextmanager
def dropout_on(layers: Layers, run_seed: int, sample: tf.Tensor) -> Iterator[None]:
    """Call `layers` as in training in the graph that the body builds, whatever their callers ask for.

    Args:
        layers: See `layers_that_drop`.
        run_seed: Seed of the run.
        sample: Scalar int32, the number of the sample.
    """
    graph = tf.compat.v1.get_default_graph()

    def in_training(path: str, layer: keras.layers.Layer) -> Callable[..., Any]:
        call = layer.call
        signature = inspect.signature(call)
        num_calls = 0

        def call_in_training(*args: Any, **options: Any) -> Any:
            nonlocal num_calls
            num_calls += 1
            # In an inner graph, such as the loop over the steps of a sequence, one call is many.
            if _is_plain(layer) and tf.compat.v1.get_default_graph() is graph:
                seed = derive_seed(run_seed, PURPOSE, path, num_calls)
                return _compiled_drop(
                    args[0] if args else options["inputs"], layer.rate, *step_keys(seed, sample)
                )
            bound = signature.bind(*args, **options)
            bound.arguments["training"] = True
            return call(*bound.args, **bound.kwargs)

        return call_in_training

    with ExitStack() as restored:
        for path, layer in layers.items():
            restored.enter_context(replaced(layer, "call", in_training(path, layer)))
        yield


def all_hashed(layers: Layers, model: keras.Model) -> bool:
    """Return whether what each of `layers` drops follows from the number of the sample alone.

    It does in the graphs of `model` and of models in it, but not in loops over sequences.
    """
    by_path = dict(walk(model))
    around = {path[:end] for path in layers for end, letter in enumerate(path) if letter == "/"}
    return all(map(_is_plain, layers.values())) and all(
        isinstance(by_path[path], keras.Model) for path in around
    )


def _is_plain(layer: keras.layers.Layer) -> bool:
    """Return whether `layer` is standard dropout of single units at a constant rate."""
    if type(layer) is StandardDropout:
        return layer.noise_shape is None and layer.rate_variable is None
    return type(layer) is keras.layers.Dropout and layer.noise_shape is None


def drop(values: tf.Tensor, rate: float, first_key: tf.Tensor, second_key: tf.Tensor) -> tf.Tensor:
    """Return `values` with a fraction of them 0, and the others divided by 1 - rate.

    Args:
        values: (batch, ...).
        rate: Fraction to drop, in [0, 1), to within 2**-32.
        first_key, second_key: Scalar uint32, see `masks.step_keys`.
    """
    counter = tf.reshape(tf.range(tf.size(values)), tf.shape(values))
    words = hashed(tf.cast(counter, tf.uint32), first_key, second_key)
    threshold = np.uint32(min(round(rate * 2**32), 2**32 - 1))
    return tf.where(words >= threshold, values * tf.cast(1 / (1 - rate), values.dtype), 0)


# Compiled into one loop without a mask in memory: on a CPU, the random numbers of Keras take five times as
# long, and longer than the convolution that follows.
_compiled_drop: Callable[..., tf.Tensor] = tf.function(drop, jit_compile=True, autograph=False)
