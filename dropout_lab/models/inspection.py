"""What a built Keras model consists of: its Dropout layers, weights and table of layers."""

import hashlib
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib import import_module

import keras
import numpy as np

from dropout_lab.records import FloatArray


def dropout_layers(model: keras.Model) -> list[keras.layers.Dropout]:
    """Return the model's Dropout layers, from the input on."""
    return [layer for layer in model.layers if isinstance(layer, keras.layers.Dropout)]


def weights_fingerprint(model: keras.Model, without: Iterable[keras.Variable] = ()) -> str:
    """Return 16 hexadecimal digits over the names, shapes and bits of all weights and moving statistics.

    Args:
        model: A built model.
        without: Weights to leave out.
    """
    digest = hashlib.sha256()
    left_out = {id(variable) for variable in without}
    for variable in (one for one in model.weights if id(one) not in left_out):
        values: FloatArray = np.ascontiguousarray(variable.numpy())
        digest.update(f"{variable.path}{values.shape}{values.dtype}".encode())
        digest.update(values.tobytes())
    return digest.hexdigest()[:16]


SUMMARY_WIDTH = 80


def summary_text(model: keras.Model, width: int = SUMMARY_WIDTH) -> str:
    """Return the Keras table of the layers, their output shapes and parameters, `width` columns wide."""
    lines: list[str] = []
    with _without_notebook(), _terminal_of(width):
        model.summary(print_fn=lines.append, line_length=width)
    return "\n".join(lines) + "\n"


@contextmanager
def _terminal_of(width: int) -> Iterator[None]:
    """Let rich, by which Keras makes its table, cut its lines at `width`, not at the edge of the terminal."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = str(width)
    try:
        yield
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before


def _without_notebook() -> AbstractContextManager[object]:
    """Return a context in which rich, by which Keras makes its table, shows nothing in a notebook."""
    if "IPython" not in sys.modules:
        return nullcontext()
    capture: AbstractContextManager[object] = import_module("IPython.utils.capture").capture_output(
        stdout=False, stderr=False, display=True
    )
    return capture
