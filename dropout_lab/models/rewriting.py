"""A built network with other layers in place of some of its own, and the same weights.

The network is built again from its configuration, in which the classes of these layers are other ones, so
that it is what it would have been if it had been written that way. The initial weights are copied by the
path of the layer and the name of the weight.
"""

import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import keras

from dropout_lab.models.keras_internals import own_variables, set_path, unchanged_state
from dropout_lab.models.sites import walk

CLASS = ("module", "class_name", "registered_name", "config")
"""Keys of the configuration of a layer that say what it is; others say how a network uses it."""


class NoConfigurationError(Exception):
    """A layer is made in the constructor of another one, so no configuration holds it."""


def with_layers(
    model: keras.Model, layers: Mapping[str, keras.layers.Layer], custom_objects: Mapping[str, Any]
) -> keras.Model:
    """Return `model` with `layers` in place of those at their paths, and a copy of its weights.

    Weights that `model` does not have keep their initial values.

    Args:
        model: A built network.
        layers: Layers that were never called, by the path of those that they replace.
        custom_objects: Classes and functions of the user's in `model`, by name.

    Raises:
        NoConfigurationError: If a layer has no configuration of its own in that of `model`.
    """
    config = keras.saving.serialize_keras_object(model)
    for path, layer in layers.items():
        entry = _entry(config, path)
        other = keras.saving.serialize_keras_object(layer)
        entry.update({key: other[key] for key in CLASS})
    with unchanged_state():
        built = from_configuration(config, custom_objects)
    made = dict(walk(built))
    for path, layer in layers.items():
        if type(made.get(path)) is not type(layer):
            raise NoConfigurationError(path)
    copy_weights(model, built, with_paths=True)
    return built


def from_configuration(config: dict[str, Any], custom_objects: Mapping[str, Any]) -> keras.Model:
    """Return the network that has `config`, which is changed. Raises whatever its layers raise."""
    with warnings.catch_warnings():
        # Layers of the user's that build their parts when they are called.
        warnings.filterwarnings("ignore", r"`build\(\)` was called on layer")
        return keras.saving.deserialize_keras_object(config, custom_objects=dict(custom_objects))


def copy_weights(source: keras.Model, target: keras.Model, *, with_paths: bool = False) -> None:
    """Give each weight of `target` the value that it has in `source`, if that has it.

    Args:
        source, target: Built networks.
        with_paths: Whether it gets the path of that weight, too. A path begins with the name of the network
            or not, depending on how Keras built it.
    """
    originals = dict(_weights(source))
    for key, variable in _weights(target):
        if key in originals:
            variable.assign(originals[key])
            if with_paths:
                set_path(variable, originals[key].path)


def _weights(model: keras.Model) -> Iterator[tuple[tuple[str, str, int], keras.Variable]]:
    """Yield the weights of `model` by path of the layer, name, and number among those of this name."""
    for path, layer in walk(model):
        uses: Counter[str] = Counter()
        for variable in own_variables(layer):
            yield (path, variable.name, uses[variable.name]), variable
            uses[variable.name] += 1


def _entry(config: dict[str, Any], path: str) -> dict[str, Any]:
    """Return the configuration of the layer at `path` in that of a network."""
    found = config
    for name in path.split("/"):
        entries = [one for one in _layers_in(found["config"]) if one["config"]["name"] == name]
        if len(entries) != 1:
            raise NoConfigurationError(path)
        found = entries[0]
    return found


def _layers_in(value: Any) -> Iterator[dict[str, Any]]:
    """Yield the configurations of layers in `value`, without those inside them."""
    if isinstance(value, list | tuple):
        for part in value:
            yield from _layers_in(part)
    elif isinstance(value, dict):
        if "class_name" in value and isinstance(value.get("config"), dict) and "name" in value["config"]:
            yield value
        else:
            for part in value.values():
                yield from _layers_in(part)
