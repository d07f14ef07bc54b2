"""What a classifier puts out: probabilities or logits."""

from typing import Literal

import keras
import numpy as np

from dropout_lab.errors import UsageError

Outputs = Literal["logits", "probabilities"]

SAME_VALUES = (
    keras.layers.Activation,
    keras.layers.Flatten,
    keras.layers.Reshape,
    keras.layers.Identity,
    keras.layers.Dropout,
)
"""Layers that leave probabilities and logits what they are, if their activation is linear."""


def check_shapes(model: keras.Model, input_shape: tuple[int, ...], num_classes: int, name: str) -> None:
    """Check that `model` takes the examples and has one output per class.

    Raises:
        UsageError: If it does not; the message names both shapes.
    """
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise UsageError(
            f"model.network: {name} has {len(model.inputs)} inputs and {len(model.outputs)} outputs"
            " (allowed: one of each)"
        )
    expected, received = (None, *input_shape), tuple(model.inputs[0].shape)
    fits = len(expected) == len(received) and all(
        own in (None, given) for own, given in zip(received[1:], expected[1:], strict=True)
    )
    if not fits:
        raise UsageError(f"model.network: {name} takes inputs of shape {received} (required: {expected})")
    shape = tuple(model.outputs[0].shape)
    if shape[1:] != (num_classes,):
        hint = None
        if num_classes == 2 and shape[1:] == (1,):
            hint = "Use Dense(2, activation='softmax') instead of one sigmoid unit."
        elif len(shape) != 2:
            hint = "Add a pooling or Flatten layer and Dense(num_classes, activation='softmax')."
        raise UsageError(
            f"model.network: {name} has outputs of shape {shape} (required: (None, {num_classes}),"
            " one per class)",
            hint=hint,
        )


def find_outputs(
    model: keras.Model, stated: Literal["auto", "logits", "probabilities"], name: str
) -> Outputs:
    """Return whether `model` puts out probabilities or logits.

    Its last activation tells, else its outputs for an input of zeros: probabilities sum to 1.

    Args:
        model: A model with one output per class.
        stated: What the spec says.
        name: Name of the network, for messages.

    Raises:
        UsageError: If its outputs are sigmoids, or not what is stated.
    """
    activation = _last_activation(model)
    if activation == "sigmoid":
        raise UsageError(
            f"model.network: the outputs of {name} are sigmoids, which do not sum to 1 over the classes"
            " (allowed: softmax, or logits without an activation)"
        )
    known: dict[str, Outputs] = {"softmax": "probabilities", "linear": "logits"}
    found = known.get(activation) or _seen_outputs(model)
    if stated not in ("auto", found):
        raise UsageError(f"model.outputs: {stated}, but the outputs of {name} are {found}")
    return found


def _last_activation(model: keras.Model) -> str:
    """Return the name of the activation of the outputs; empty if it cannot be told."""
    operation = model.outputs[0]._keras_history.operation
    while True:
        if isinstance(operation, keras.Model):
            inner = operation is not model and getattr(operation, "outputs", None)
            return _last_activation(operation) if inner else ""
        if isinstance(operation, keras.layers.Softmax) or type(operation).__module__.endswith("ops.nn"):
            return type(operation).__name__.lower()
        activation = getattr(operation, "activation", None)
        name = getattr(activation, "__name__", "")
        if activation is not None and name != "linear":
            return name  # a layer as an activation has none
        if isinstance(operation, keras.layers.Dense):
            return "linear"
        if not isinstance(operation, SAME_VALUES) or len(operation._inbound_nodes) != 1:
            return ""
        operation = operation._inbound_nodes[0].parent_nodes[0].operation


def _seen_outputs(model: keras.Model) -> Outputs:
    shape = [size or 1 for size in model.inputs[0].shape]
    values = np.asarray(model(np.zeros(shape, model.inputs[0].dtype), training=False), np.float32)
    sums_to_one = np.allclose(values.sum(axis=-1), 1, atol=1e-3) and values.min() >= 0
    return "probabilities" if sums_to_one else "logits"
