"""Networks from Python become files that a spec can name, whatever was built before."""

from pathlib import Path
from typing import Any

import keras
import pytest

from dropout_lab.errors import FunctionError
from dropout_lab.models.given import save_network
from dropout_lab.models.network import build_network
from dropout_lab.spec import ModelSpec


def build(input_shape: tuple[int, ...], classes: int) -> keras.Model:
    """Make a network with one dropout site."""
    return keras.Sequential(
        [
            keras.Input(input_shape),
            keras.layers.Dense(4, activation="relu"),
            keras.layers.Dropout(0.25, name="top"),
            keras.layers.Dense(classes, activation="softmax"),
        ]
    )


def test_a_function_gives_one_file_whatever_was_built_before(tmp_path: Path) -> None:
    first = save_network(build, tmp_path, (3,), 2)
    keras.layers.Dense(1)
    content = first.read_bytes()
    assert save_network(build, tmp_path, (3,), 2) == first
    assert first.read_bytes() == content
    assert save_network(build, tmp_path, (4,), 2) != first


def test_the_file_is_built_with_the_rates_of_the_network(tmp_path: Path) -> None:
    path = save_network(build, tmp_path, (3,), 2)
    spec = ModelSpec(network=str(path), dropout="as_built")
    network = build_network(spec, (3,), 2, run_seed=1)
    assert network.rates == {"top": 0.25}
    again = build_network(ModelSpec(network=str(path), dropout=0.0), (3,), 2, run_seed=1)
    assert all(
        (one.numpy() == other.numpy()).all()
        for one, other in zip(network.model.trainable_variables, again.model.trainable_variables, strict=True)
    )


def test_a_model_is_not_changed(tmp_path: Path) -> None:
    unbuilt = keras.Sequential([keras.layers.Dense(2, activation="softmax")])
    save_network(unbuilt, tmp_path, (3,), 2)
    assert not unbuilt.built
    built = build((3,), 2)
    before = [value.tolist() for value in built.get_weights()]
    save_network(built, tmp_path, (3,), 2)
    assert [value.tolist() for value in built.get_weights()] == before


class Own(keras.layers.Layer):
    """A layer that Keras does not know."""

    def call(self, inputs: Any) -> Any:
        return inputs


def own() -> keras.Model:
    """Make a network with that layer."""
    return keras.Sequential([keras.Input((3,)), Own(), keras.layers.Dense(2)])


def broken() -> keras.Model:
    """Raise."""
    raise ValueError("no network today")


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (broken, "broken failed: .*no network today"),
        (lambda: 3, "returned int"),
        (own, "(?s)cannot be built again.*file.py:function"),
        (lambda depth: depth, "depth"),
    ],
)
def test_what_is_no_network_is_named(network: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(FunctionError, match=message):
        save_network(network, tmp_path, (3,), 2)
    assert list(tmp_path.iterdir()) == []
