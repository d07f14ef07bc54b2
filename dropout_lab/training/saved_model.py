"""A trained model that was loaded again, ready to predict."""

from typing import Any

from dropout_lab.data.input_form import InputForm
from dropout_lab.errors import UsageError
from dropout_lab.models.network import Network
from dropout_lab.models.outputs import find_outputs
from dropout_lab.models.sites import find_sites


def input_shape(model: Any) -> tuple[int | None, ...]:
    """Return the shape of one example that a Keras model takes; None where any size fits."""
    return tuple(model.inputs[0].shape[1:])


def as_network(model: Any, form: InputForm, name: str) -> Network:
    """Return a loaded Keras model as a network.

    Args:
        model: The model.
        form: Form of its inputs.
        name: Name of the model, for messages.

    Raises:
        UsageError: If it is no classifier for inputs of this form.
    """
    if len(model.inputs) != 1 or len(model.outputs) != 1 or len(model.outputs[0].shape) != 2:
        raise UsageError(f"{name}: not a classifier with one input and one output per class")
    taken = input_shape(model)
    fits = len(taken) == len(form.shape) and all(
        own in (None, given) for own, given in zip(taken, form.shape, strict=True)
    )
    if not fits or model.outputs[0].shape[1] != len(form.class_names):
        raise UsageError(
            f"{name}: takes inputs of shape {taken} and has {model.outputs[0].shape[1]} classes"
            f" (expected: {form.shape} and {len(form.class_names)})"
        )
    return Network(model=model, sites=find_sites(model), outputs=find_outputs(model, "auto", name))
