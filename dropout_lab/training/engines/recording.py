"""What Dropout layers do in a training step, recorded while it is traced."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from dropout_lab.models.keras_internals import sublayers
from dropout_lab.models.kinds import RatedLayer, SpatialDropout, StandardDropout, StochasticDepth
from dropout_lab.models.sites import Site
from dropout_lab.training.engines.observation import BoolArray, DropoutObservation
from dropout_lab.training.replacing import replaced

SPATIAL = (keras.layers.SpatialDropout1D, keras.layers.SpatialDropout2D, keras.layers.SpatialDropout3D)
SHOWING = (keras.layers.Dropout, *SPATIAL, StandardDropout, SpatialDropout, StochasticDepth)
"""Layers whose outputs are zero where they drop, and nowhere else."""

Call = tuple[keras.layers.Layer, tf.Tensor, tf.Tensor]
"""A layer with the input and the output of one of its calls."""


def layers_that_show(sites: Sequence[Site]) -> dict[keras.layers.Layer, str]:
    """Return the layers of `sites` whose outputs are zero where they drop, with the paths of their sites.

    An attention layer drops with a Dropout layer of its own. Recurrent layers, and layers that multiply by
    noise, replace what they drop or drop weights, do not show.
    """
    found: dict[keras.layers.Layer, str] = {}
    for site in sites:
        parts = [site.layer] if site.argument == "rate" else sublayers(site.layer)
        # Exactly these types: what a class of the user's does is not known.
        found |= {layer: site.path for layer in parts if type(layer) in SHOWING}
    return found


@contextmanager
def record_calls(layers: Iterable[keras.layers.Layer]) -> Iterator[list[Call]]:
    """Record what `layers` receive and return in the graph that the body builds.

    Calls in inner graphs, such as the loop of a recurrent layer, are not recorded: their tensors cannot be
    read from outside.
    """
    calls: list[Call] = []
    graph = tf.compat.v1.get_default_graph()

    def recorded(layer: keras.layers.Layer) -> Any:
        call = layer.call

        def record(inputs: tf.Tensor, *args: Any, **options: Any) -> tf.Tensor:
            outputs = call(inputs, *args, **options)
            if tf.compat.v1.get_default_graph() is graph:
                calls.append((layer, inputs, outputs))
            return outputs

        return record

    with ExitStack() as restored:
        for layer in layers:
            restored.enter_context(replaced(layer, "call", recorded(layer)))
        yield calls


def what_shows(
    layer: keras.layers.Layer, inputs: tf.Tensor, outputs: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Return the elements that show whether they are dropped, those kept, and how many are dropped in part.

    An element is what is dropped or kept as a whole: a single value, or a channel of spatial dropout. It
    shows if an input in it is not zero.

    Args:
        layer: Layer that was called.
        inputs, outputs: (batch, ...), before and after.

    Returns:
        Two boolean tensors in the shape of the layer's mask, and a number.
    """
    # Numbers below the smallest normal one may be flushed to zero.
    tiny = np.finfo(np.float16 if inputs.dtype == tf.float16 else np.float32).tiny
    examined = tf.abs(tf.cast(inputs, tf.float32)) >= tiny
    kept = examined & (outputs != 0)
    axes = _shared_axes(layer, len(inputs.shape))
    if not axes:
        return examined, kept, tf.constant(0)
    dropped = examined & ~kept
    examined, kept, dropped = (tf.reduce_any(part, axes, keepdims=True) for part in (examined, kept, dropped))
    return examined, kept, tf.math.count_nonzero(kept & dropped, dtype=tf.int32)


def _shared_axes(layer: keras.layers.Layer, rank: int) -> list[int]:
    """Return the axes along which all values of an example are dropped together."""
    if isinstance(layer, StochasticDepth):
        return list(range(1, rank))
    if isinstance(layer, (*SPATIAL, SpatialDropout)):
        channels_first = rank > 3 and layer.data_format == "channels_first"
        return list(range(2, rank)) if channels_first else list(range(1, rank - 1))
    return [axis for axis, size in enumerate(layer.noise_shape or ()) if size == 1]


def number_type(layer: keras.layers.Layer) -> str:
    """Return the type of the random numbers of a layer."""
    return "float32" if isinstance(layer, RatedLayer) else str(layer.compute_dtype)


def observations(
    called: Sequence[tuple[str, str]], steps: Sequence[Sequence[Sequence[BoolArray]]]
) -> list[DropoutObservation]:
    """Return one observation per site, of all calls of its layer.

    Args:
        called: Path of the site and type of the numbers of each call.
        steps: What `what_shows` returns for each call, in consecutive steps.
    """
    found = []
    for path, kind in dict.fromkeys(called):
        own = [
            call
            for calls in steps
            for other, call in zip(called, calls, strict=True)
            if other == (path, kind)
        ]
        *shown, num_split = zip(*own, strict=True)
        examined, kept = (
            np.concatenate([part.ravel() for part in parts]).reshape(len(steps), -1) for parts in shown
        )
        # Keras compares random numbers of the layer's type with the rate.
        digits = {"float16": 10, "bfloat16": 7}.get(kind, 23)
        resolution = max(2.0**-16, 2.0 ** (1 - digits))
        found.append(DropoutObservation(path, examined, kept, resolution, num_split=int(sum(num_split))))
    return found
