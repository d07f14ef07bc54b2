"""Networks that Python code gives as objects, kept in a file that a spec can name."""

import hashlib
import io
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras

from dropout_lab.errors import FunctionError
from dropout_lab.files import write_atomically
from dropout_lab.functions import LoadedFunction
from dropout_lab.models.architecture import WHERE, call_network, known_arguments
from dropout_lab.spec import ModelSpec

LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""Time of the parts of the file: equal networks give equal bytes."""


def save_network(network: Any, folder: Path, input_shape: tuple[int, ...], num_classes: int) -> Path:
    """Write the configuration of a network to a ``.keras`` file in `folder`; equal ones get the same path.

    Args:
        network: Keras model, of which the weights are not used, or a function that returns one. It is
            called with those of `input_shape` and `num_classes` or `classes` that it takes.
        folder: Folder of the file.
        input_shape: Shape of one example.
        num_classes: Number of classes.

    Raises:
        FunctionError: If the function fails, or Keras cannot build the network from its configuration.
        OSError: If the file cannot be written.
    """
    is_model = isinstance(network, keras.Model)
    name = network.name if is_model else getattr(network, "__name__", type(network).__name__)
    function = LoadedFunction(
        reference=str(name),
        where=WHERE,
        function=(lambda: _built_or_copied(network)) if is_model else network,
        code_fingerprint="",
    )
    arguments = known_arguments(function, ModelSpec(), input_shape, num_classes)
    architecture = call_network(function, arguments, input_shape)
    try:  # as each run will, which has the file alone
        replace(architecture, custom_objects={}).build()
    except FunctionError as error:
        raise FunctionError(
            error.message,
            hint="For layers and functions of your own, put the network into a file of its own and name it:"
            ' model="file.py:function".',
        ) from None
    path = folder / f"{hashlib.sha256(architecture.config.encode()).hexdigest()[:32]}.keras"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("config.json", LONG_AGO), architecture.config)
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(path, buffer.getvalue())
    return path


def _built_or_copied(model: keras.Model) -> keras.Model:
    """Return `model`, or a copy that can be built without a change to the user's."""
    if model.built:
        return model
    return keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(model))
