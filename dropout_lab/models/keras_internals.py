"""Parts of Keras and TensorFlow that have no public access, each behind one function."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
from keras.src.backend.common import global_state
from keras.src.models.functional import Functional
from tensorflow.python.eager import context as tensorflow_context
from tensorflow.python.framework import config as tensorflow_config

_NAMES_AND_SEEDS = ("object_name_uids", "global_random_seed", "global_seed_generator", "dtype_policy")
"""Attributes of the global state of Keras: counters of automatic names, random numbers, and the precision,
which follows `floatx` as long as it is not set."""


def sublayers(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    """Return the layers that `layer` consists of, in the order of their creation."""
    return list(layer._layers)


def graph_of(layer: keras.layers.Layer) -> Functional | None:
    """Return the graph of operations that a functional or sequential model runs; None for other layers."""
    graph = getattr(layer, "_functional", layer) if isinstance(layer, keras.Sequential) else layer
    return graph if isinstance(graph, Functional) else None


def seed_generators(layer: keras.layers.Layer) -> list[keras.random.SeedGenerator]:
    """Return the sources of random numbers that `layer` itself has."""
    return list(layer._seed_generators)


def add_seed_generator(layer: keras.layers.Layer, name: str) -> None:
    """Give a built layer the source of random numbers that it has not because its rate was 0."""
    layer._tracker.unlock()
    setattr(layer, name, keras.random.SeedGenerator(0))
    layer._tracker.lock()


def own_variables(layer: keras.layers.Layer) -> list[keras.Variable]:
    """Return the weights that `layer` itself has, without those of its sublayers and its random numbers."""
    return [*layer._trainable_variables, *layer._non_trainable_variables]


def set_path(variable: keras.Variable, path: str) -> None:
    """Set the path of a weight, which fingerprints contain."""
    variable._path = path


def operations_before(operation: Any) -> list[Any]:
    """Return the layers and operations whose outputs `operation` takes in graphs, each once."""
    found = [one for node in operation._inbound_nodes for one in node.parent_nodes]
    return list({id(node.operation): node.operation for node in found}.values())


def operations_after(operation: Any) -> list[Any]:
    """Return the layers and operations that take the outputs of `operation` in graphs, each once."""
    return list({id(node.operation): node.operation for node in operation._outbound_nodes}.values())


@contextmanager
def unchanged_state() -> Iterator[None]:
    """Let the automatic names of Keras start again; restore them, and the random numbers, afterwards."""
    state, numpy_state = random.getstate(), np.random.get_state()  # noqa: NPY002
    kept = {name: global_state.get_global_attribute(name) for name in _NAMES_AND_SEEDS}
    global_state.set_global_attribute("object_name_uids", None)
    try:
        yield
    finally:
        random.setstate(state)
        np.random.set_state(numpy_state)  # noqa: NPY002
        for name, value in kept.items():
            global_state.set_global_attribute(name, value)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed Python, NumPy, TensorFlow and Keras, whose automatic names start again; restore all afterwards."""
    tensorflow = tensorflow_context.context()
    tensorflow_state = {name: vars(tensorflow).get(name) for name in ("_seed", "_rng")}
    with unchanged_state():
        keras.utils.set_random_seed(seed)
        try:
            yield
        finally:
            vars(tensorflow).update(tensorflow_state)


@contextmanager
def determinism_restored() -> Iterator[None]:
    """End with this context that TensorFlow is deterministic, since it then refuses unseeded operations."""
    before = tensorflow_config.is_op_determinism_enabled()
    try:
        yield
    finally:
        if not before:
            tensorflow_config.disable_op_determinism()
