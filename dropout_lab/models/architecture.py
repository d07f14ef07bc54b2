"""Networks of the user's: from a function or a ``.keras`` file to a configuration that builds it again."""

import hashlib
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType
from typing import Any

import keras

from dropout_lab.errors import FunctionError
from dropout_lab.functions import LoadedFunction, load_function
from dropout_lab.models.keras_internals import seeded
from dropout_lab.models.rewriting import from_configuration
from dropout_lab.spec import ModelSpec
from dropout_lab.user_code import existing_file, import_path, imported_modules

WHERE = "model.network"
HINT = (
    "Keras must be able to build the network again: give each layer or model class of yours a get_config, and"
    " use functions with a name in place of lambdas."
)


@dataclass(frozen=True)
class Architecture:
    """A network without its weights.

    Attributes:
        name: Its name in the spec.
        config: Its configuration as JSON: Keras changes what it builds from.
        custom_objects: Classes and functions of the user's in it, by name.
        code_fingerprint: 16 hexadecimal digits over the code or the file that it is from.
        code_files: Files of the user's with that code.
    """

    name: str
    config: str
    custom_objects: Mapping[str, Any]
    code_fingerprint: str
    code_files: tuple[Path, ...] = ()

    def build(self) -> keras.Model:
        """Build the network, with the initial weights that the state of random numbers gives.

        Raises:
            FunctionError: If Keras cannot build it from its configuration.
        """
        try:
            return from_configuration(json.loads(self.config), self.custom_objects)
        except Exception as error:
            raise _not_buildable(self.name, "built again", error) from None


def load_architecture(spec: ModelSpec, input_shape: tuple[int, ...], num_classes: int) -> Architecture:
    """Return the network that `spec` names.

    The function is called once for equal arguments and shapes, and its network is never trained: its
    weights, and seeds that it gives to initializers, have no effect.

    Raises:
        FunctionError: If there is no such function or file, if it fails, or if it makes no Keras model.
    """
    if spec.network.endswith(".keras"):
        return _read_file(spec.network)
    function = load_function(spec.network, WHERE)
    arguments = known_arguments(function, spec, input_shape, num_classes)
    key = json.dumps(
        [
            spec.network,
            function.code_fingerprint,
            sorted(arguments.items()),
            input_shape,
            keras.config.dtype_policy().name,
        ],
        default=str,
    )
    if key not in _called:
        _called[key] = call_network(function, arguments, input_shape)
    return _called[key]


_called: dict[str, Architecture] = {}


def network_code(spec: ModelSpec) -> str:
    """Return 16 hexadecimal digits over the user's code that makes the network; empty if it is built in.

    Raises:
        FunctionError: If it is not found.
    """
    if spec.is_built_in:
        return ""
    if spec.network.endswith(".keras"):
        return _read_file(spec.network).code_fingerprint
    return load_function(spec.network, WHERE).code_fingerprint


def network_function(spec: ModelSpec) -> LoadedFunction | None:
    """Return the user's function that makes the network; None if another thing makes it.

    Raises:
        FunctionError: If it is not found.
    """
    if spec.is_built_in or spec.network.endswith(".keras"):
        return None
    return load_function(spec.network, WHERE)


def custom_objects(function: LoadedFunction | None) -> dict[str, Any]:
    """Return the classes and functions in the user's code that makes a network, by name."""
    if function is None:
        return {}
    with import_path(function.root, function.files):
        modules = imported_modules({str(file) for file in function.files})
    return {
        name: value
        for module in modules.values()
        for name, value in vars(module).items()
        if isinstance(value, type | FunctionType) and not str(value.__module__).startswith("keras.")
    }


def known_arguments(
    function: LoadedFunction, spec: ModelSpec, input_shape: tuple[int, ...], num_classes: int
) -> dict[str, Any]:
    """Return the arguments for the function of a network: those of `spec`, and those known that it takes."""
    function.check_arguments(spec.arguments, "model.arguments")
    taken = function.parameters()
    known: dict[str, Any] = {"input_shape": input_shape, "num_classes": num_classes}
    if taken is not None:
        known |= {"classes": num_classes, "weights": None}  # keras.applications
        known = {name: value for name, value in known.items() if name in taken}
    if spec.arguments.get("weights") is not None and "weights" in known:
        raise FunctionError(
            f"model.arguments.weights: {spec.arguments['weights']!r} (allowed: null): the seed of each run"
            " initializes all weights, so pretrained weights would have no effect"
        )
    return known | dict(spec.arguments)


def call_network(
    function: LoadedFunction, arguments: Mapping[str, Any], input_shape: tuple[int, ...]
) -> Architecture:
    """Call the function of a network, and return what it made.

    Raises:
        FunctionError: If it fails, or makes no network that Keras can save.
    """
    with seeded(0):
        model = function.call(**arguments)
        if not isinstance(model, keras.Model):
            raise FunctionError(
                f"{WHERE}: {function.reference} returned {type(model).__name__} (required: a Keras model)"
            )
        name = function.reference
        try:
            if isinstance(model, keras.Sequential) and not model.built:
                model.build((None, *input_shape))
            model = _functional(model, input_shape)
            config = keras.saving.serialize_keras_object(model)
            text = json.dumps(_without_seeds(config))
        except Exception as error:
            raise _not_buildable(name, "saved", error) from None
    return Architecture(name, text, custom_objects(function), function.code_fingerprint, function.files)


def _functional(model: keras.Model, input_shape: tuple[int, ...]) -> keras.Model:
    """Return `model`, or one with an input of its own if it is of a class of the user's."""
    if getattr(model, "inputs", None):
        return model
    inputs = keras.Input(input_shape)
    return keras.Model(inputs, model(inputs), name=f"{model.name}_classifier")


def _read_file(name: str) -> Architecture:
    try:
        with zipfile.ZipFile(existing_file(name, WHERE)) as archive:
            config = json.loads(archive.read("config.json"))
    except (OSError, zipfile.BadZipFile, zlib.error, KeyError, ValueError) as error:
        raise FunctionError(f"{WHERE}: {name} is no model saved by Keras: {error}") from None
    text = json.dumps(_without_seeds(config), sort_keys=True)
    return Architecture(name, text, {}, hashlib.sha256(text.encode()).hexdigest()[:16])


def _without_seeds(config: Any) -> Any:
    """Return a configuration without seeds of initializers, and without what only training needs."""
    if isinstance(config, list):
        return [_without_seeds(part) for part in config]
    if not isinstance(config, dict):
        return config
    is_initializer = str(config.get("module", "")).startswith("keras.initializers")
    parts = {key: _without_seeds(part) for key, part in config.items() if key != "compile_config"}
    if is_initializer and isinstance(parts.get("config"), dict) and "seed" in parts["config"]:
        parts["config"] = parts["config"] | {"seed": None}
    return parts


def _not_buildable(name: str, verb: str, error: Exception) -> FunctionError:
    text = " ".join(str(error).split())[:500]
    return FunctionError(f"{WHERE}: {name} cannot be {verb}: {type(error).__name__}: {text}", hint=HINT)
