"""Probabilities and logits are told apart, and outputs that fit no classification are refused."""

from pathlib import Path

import pytest

from dropout_lab.errors import UsageError
from dropout_lab.models.network import build_network
from dropout_lab.spec import ModelSpec


@pytest.mark.parametrize(
    ("name", "shape", "outputs"),
    [
        ("cnn", (8, 8, 1), "logits"),
        ("lstm", (6,), "probabilities"),
        ("whole", (8,), "probabilities"),
        ("nested", (4,), "logits"),
        ("softmax_layer", (4,), "probabilities"),
        ("softmax_layer_of_dense", (4,), "probabilities"),
        ("softmax_layer_of_activation", (4,), "probabilities"),
        ("leaky_layer_of_dense", (4,), "logits"),
        ("softmax_op", (4,), "probabilities"),
        ("normalized", (4,), "probabilities"),
    ],
)
def test_outputs_are_recognized(networks: Path, name: str, shape: tuple[int, ...], outputs: str) -> None:
    spec = ModelSpec(network=f"{networks}:{name}")
    assert build_network(spec, shape, 3, 0).outputs == outputs
    other = "logits" if outputs == "probabilities" else "probabilities"
    with pytest.raises(UsageError, match=f"model.outputs: {other}, but the outputs of .* are {outputs}"):
        build_network(spec.model_copy(update={"outputs": other}), shape, 3, 0)


@pytest.mark.parametrize(
    ("name", "shape", "classes", "message"),
    [
        (
            "one_unit",
            (4,),
            2,
            r"outputs of shape \(None, 1\) \(required: \(None, 2\), one per class\)\nUse Dense",
        ),
        ("sigmoids", (4,), 3, "are sigmoids, which do not sum to 1"),
        ("images_out", (8, 8, 1), 3, r"outputs of shape \(None, 6, 6, 3\).*\nAdd a pooling or Flatten layer"),
        ("two_inputs", (4,), 3, "has 2 inputs and 1 outputs"),
    ],
)
def test_outputs_that_are_not_one_per_class_are_refused(
    networks: Path, name: str, shape: tuple[int, ...], classes: int, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        build_network(ModelSpec(network=f"{networks}:{name}"), shape, classes, 0)


def test_another_input_shape_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "fixed_shape.py"
    path.write_text(
        "import keras\n\n\ndef build(num_classes):\n"
        "    return keras.Sequential([keras.Input((5,)), keras.layers.Dense(num_classes)])\n"
    )
    with pytest.raises(UsageError, match=r"takes inputs of shape \(None, 5\) \(required: \(None, 4\)\)"):
        build_network(ModelSpec(network=f"{path}:build"), (4,), 3, 0)
