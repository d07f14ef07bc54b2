"""Graphs of stock layers, traced once for all runs of a process that differ in values only."""

import json
import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from dropout_lab.models.network import Network
from dropout_lab.models.sites import walk

MOST_GRAPHS = 128
"""Graphs that are kept; each takes 1 to 4 MiB besides its variables."""

MOST_BYTES = 2**29
"""Bytes of the variables that the kept graphs were traced for, which are kept with them."""


class _Graph(NamedTuple):
    """A traced function.

    Attributes:
        function: The function, which calls the graph.
        captures: The number of the variable that each capture stands for, or else the capture itself.
        variables: Those that it was traced for. TensorFlow calls no graph whose variables are gone.
        sizes: Bytes of each of these, by its id.
    """

    function: Any
    captures: tuple[Any, ...]
    variables: Sequence[keras.Variable]
    sizes: Mapping[int, int]


_GRAPHS: dict[Hashable, _Graph] = {}


class Graphs:
    """Traces the functions of a run, or uses what was traced for an earlier run of the same `likeness`.

    Args:
        likeness: All that the graphs depend on but the values of `variables`. None if that is not known: then
            they are this run's own.
        variables: What the functions read and change, in an order that all runs of this likeness have.
    """

    def __init__(self, likeness: Hashable | None, variables: Sequence[keras.Variable]) -> None:
        self._likeness = likeness
        self._variables = variables

    def of(
        self, name: str, function: Callable[..., Any], *signature: tf.TensorSpec, autograph: bool = True
    ) -> Callable[..., Any]:
        """Return `function` as a graph, traced at its first call.

        Args:
            name: Tells the functions of a run apart.
            function: Takes tensors, and reads no other tensor of its run than its `variables`.
            signature: Types of the arguments.
            autograph: As of `tf.function`.
        """
        if self._likeness is None:
            own: Callable[..., Any] = tf.function(function, input_signature=signature, autograph=autograph)
            return own
        call: Callable[..., Any] | None = None

        def traced(*arguments: Any) -> Any:
            nonlocal call
            if call is None:
                call = self._bound(self._graph(name, function, signature, autograph))
            return call(*arguments)

        return traced

    def _graph(
        self, name: str, function: Callable[..., Any], signature: Sequence[tf.TensorSpec], autograph: bool
    ) -> _Graph:
        key = (self._likeness, name, tuple(signature))
        graph = _GRAPHS.pop(key, None) or self._trace(function, signature, autograph)
        if not _owns_state(graph) and _num_bytes([graph]) <= MOST_BYTES:
            _GRAPHS[key] = graph  # the last used is the last one
            while len(_GRAPHS) > MOST_GRAPHS or _num_bytes(_GRAPHS.values()) > MOST_BYTES:
                del _GRAPHS[next(iter(_GRAPHS))]
        return graph

    def _trace(
        self, function: Callable[..., Any], signature: Sequence[tf.TensorSpec], autograph: bool
    ) -> _Graph:
        concrete = tf.function(function, autograph=autograph).get_concrete_function(*signature)
        places = {id(handle): place for place, handle in enumerate(self._handles())}
        captures = tuple(places.get(id(capture), capture) for capture in concrete.captured_inputs)
        sizes = {id(one): math.prod(one.shape) * tf.as_dtype(one.dtype).size for one in self._variables}
        return _Graph(concrete, captures, self._variables, sizes)

    def _bound(self, graph: _Graph) -> Callable[..., Any]:
        """Return what calls `graph` with the variables of this run."""
        handles = self._handles()
        captures = [handles[one] if isinstance(one, int) else one for one in graph.captures]

        def call(*arguments: Any) -> Any:
            graph.function.set_external_captures(captures)
            try:
                return graph.function(*arguments)
            finally:
                # Else the graph would keep the variables of this run, too.
                graph.function.set_external_captures([])

        return call

    def _handles(self) -> list[Any]:
        return [variable.handle for variable in self._variables]


def _owns_state(graph: _Graph) -> bool:
    """Return whether `graph` has captured a variable that is none of the run's, or another resource."""
    return any(tf.is_tensor(capture) and capture.dtype == tf.resource for capture in graph.captures)


def _num_bytes(graphs: Iterable[_Graph]) -> int:
    """Return the size of all variables of `graphs`, most of which the graphs of a run share."""
    return sum({key: size for graph in graphs for key, size in graph.sizes.items()}.values())


def likeness_of(network: Network) -> str | None:
    """Return text that equals that of networks with the same graphs; None if code of the user's decides them.

    Seeds are left out: they decide the initial values of variables, in layers of Keras and of this package.
    """
    if not has_known_layers(network):
        return None
    return json.dumps([network.outputs, _without_seeds(json.loads(network.model.to_json()))])


def has_known_layers(network: Network) -> bool:
    """Return whether all layers are those of Keras and of this package, without code of the user's."""
    layers = [network.model, *(layer for _, layer in walk(network.model))]
    return not network.custom_objects and all(_is_known(type(layer)) for layer in layers)


def _is_known(kind: type) -> bool:
    return kind.__module__.split(".")[0] in ("keras", "dropout_lab") and kind is not keras.layers.Lambda


def _without_seeds(config: Any) -> Any:
    if isinstance(config, dict):
        return {key: _without_seeds(value) for key, value in config.items() if key != "seed"}
    return [_without_seeds(value) for value in config] if isinstance(config, list) else config
