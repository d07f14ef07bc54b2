"""Networks of one seed are twins whatever their rates, and masks depend on seed, site and step alone."""

import random
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from dropout_lab.errors import UsageError
from dropout_lab.models.inspection import weights_fingerprint
from dropout_lab.models.network import Network, build_network
from dropout_lab.models.sites import seed_masks
from dropout_lab.spec import ModelSpec

SHAPES = {"cnn": (8, 8, 1), "lstm": (6,), "transformer": (8,), "whole": (8,), "nested": (4,), "mlp": (4, 4)}
SITES = {
    "cnn": {"spatial": 0.1, "noise": 0.2, "top": 0.4},
    "lstm": {
        "each": 0.1,
        "forward_lstm.dropout": 0.1,
        "forward_lstm.recurrent_dropout": 0.2,
        "backward_lstm.dropout": 0.1,
        "backward_lstm.recurrent_dropout": 0.2,
        "gru.dropout": 0.0,
        "gru.recurrent_dropout": 0.0,
    },
    "whole": {"dropout": 0.2},
    "nested": {"first/drop": 0.1, "second/drop": 0.1},
    "mlp": {"input": 0.0, "hidden_1": 0.0, "hidden_2": 0.0},
}

Build = Callable[..., Network]


@pytest.fixture(scope="module")
def build(networks: Path) -> Build:
    """Build a network of the user's file, or a built-in one, by name."""

    def make(name: str, seed: int = 0, **fields: object) -> Network:
        network = name if name == "mlp" else f"{networks}:{name}"
        fields |= {"hidden": [4, 4]} if name == "mlp" else {}
        return build_network(ModelSpec.model_validate({"network": network, **fields}), SHAPES[name], 3, seed)

    return make


def inputs_of(network: Network, num_examples: int = 4) -> np.ndarray:
    """Return integers, which all these networks take."""
    shape = [num_examples, *network.model.input_shape[1:]]
    return np.random.default_rng(0).integers(0, 10, shape).astype(network.model.inputs[0].dtype)


@pytest.mark.parametrize("name", SHAPES)
def test_initial_weights_follow_from_the_seed_alone(build: Build, name: str) -> None:
    rates = (0, 0.3, {}) if name == "mlp" else ("as_built", 0, 0.3)
    twins = {weights_fingerprint(build(name, dropout=rate).model) for rate in rates}
    assert len(twins) == 1
    assert weights_fingerprint(build(name, seed=1).model) not in twins


@pytest.mark.parametrize("name", SITES)
def test_sites_are_found_and_their_rates_set(build: Build, name: str) -> None:
    assert build(name).rates == SITES[name]
    assert build(name, dropout=0.5).rates == dict.fromkeys(SITES[name], 0.5)
    first = next(iter(SITES[name]))
    assert build(name, dropout={"*": 0, first: 0.25}).rates == dict.fromkeys(SITES[name], 0.0) | {first: 0.25}


def test_sites_inside_layers_of_the_users_are_found(build: Build) -> None:
    network = build("transformer", dropout={"*attention*": 0.5})
    kinds = [(site.kind, site.rate) for site in network.sites]
    assert kinds == [
        *[("MultiHeadAttention.dropout", 0.5), ("Dropout", 0.0)] * 2,
        ("Dropout", 0.3),
    ]
    assert [site.path.partition("/")[0] for site in network.sites][:4] == ["block"] * 2 + ["block_1"] * 2
    assert len({site.name for site in network.sites}) == 5


@pytest.mark.parametrize("name", SHAPES)
def test_dropout_is_on_only_where_and_when_a_rate_is_set(build: Build, name: str) -> None:
    def outputs(network: Network, **options: bool) -> np.ndarray:
        return np.asarray(network.model(inputs_of(network), **options))

    off, on = build(name, dropout=0), build(name, dropout=0.5)
    np.testing.assert_array_equal(outputs(on, training=False), outputs(off, training=False))
    np.testing.assert_array_equal(outputs(off, training=True), outputs(off, training=True))
    seed_masks(on.model, 0)  # recurrent layers of Keras draw masks at inference, too
    first, second = outputs(on, training=True), outputs(on, training=True)
    assert not np.array_equal(first, second)
    # The same seed gives the same masks, another one others.
    twin = build(name, dropout=0.5)
    np.testing.assert_array_equal(outputs(twin, training=True), first)
    np.testing.assert_array_equal(outputs(twin, training=True), second)


def test_masks_of_a_site_do_not_depend_on_the_rates_of_others(build: Build) -> None:
    def mask(**rates: float) -> np.ndarray:
        network = build("cnn", dropout={"*": 0.0, **rates})
        layer = network.model.get_layer("top")
        assert layer.seed_generator.state.dtype == "int64"
        return np.asarray(layer(np.ones((1, 108), np.float32), training=True)) > 0

    assert 0.3 < mask(top=0.5).mean() < 0.7
    np.testing.assert_array_equal(mask(top=0.5), mask(top=0.5, spatial=0.3))
    # Equal random numbers are compared with each rate: what a lower rate drops, a higher one drops, too.
    assert not (mask(top=0.5) & ~mask(top=0.2)).any()


def test_masks_continue_from_saved_state(build: Build) -> None:
    network, inputs = build("lstm", dropout=0.5), inputs_of(build("lstm"))
    variables = network.model.non_trainable_variables
    network.model(inputs, training=True)
    saved = [variable.numpy() for variable in variables]
    expected = network.model(inputs, training=True)
    continued = build("lstm", dropout=0.5)
    for variable, value in zip(continued.model.non_trainable_variables, saved, strict=True):
        variable.assign(value)
    np.testing.assert_array_equal(continued.model(inputs, training=True), expected)


def test_each_source_of_random_numbers_has_its_own_seed(build: Build) -> None:
    model = build("lstm", dropout=0.5).model
    states = [v.numpy() for v in model.variables if "seed_generator" in v.path]
    assert len({tuple(state) for state in states}) == len(states) >= 4
    assert {int(state[1]) for state in states} == {0}


@pytest.mark.parametrize("name", ["lstm", "transformer"])
def test_a_rate_set_later_acts_as_one_in_the_constructor(build: Build, name: str, tmp_path: Path) -> None:
    """Saving writes the rates as constructor arguments; the loaded model drops the same elements."""
    network = build(name, dropout=0.4)
    if name == "transformer":  # its blocks save the rate that they were made with
        network = build(name, dropout={"dropout*": 0.1, "*attention*": 0.1})
    custom = {type(layer).__name__: type(layer) for layer in network.model.layers}
    network.model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", custom_objects=custom)
    states = [v for v in network.model.variables if "seed_generator" in v.path]
    copies = [v for v in loaded.variables if "seed_generator" in v.path]
    active = [v for v in states if v.numpy()[0]]
    if name == "lstm":
        for copy, state in zip(copies, active, strict=True):
            copy.assign(state)
        inputs = inputs_of(network)
        np.testing.assert_allclose(
            loaded(inputs, training=True), network.model(inputs, training=True), atol=1e-6
        )
    np.testing.assert_allclose(
        loaded(inputs_of(network), training=False),
        network.model(inputs_of(network), training=False),
        atol=1e-6,
    )


def test_no_two_weights_of_a_network_are_equal(build: Build, networks: Path) -> None:
    def kernels(model: keras.Model) -> list[tuple[float, ...]]:
        return [tuple(np.ravel(v)) for v in model.trainable_variables if "kernel" in v.path]

    found = kernels(build("transformer").model)
    assert len(set(found)) == len(found)
    by_hand = ModelSpec(network=f"{networks}:seeded_by_hand")
    first, second = (kernels(build_network(by_hand, (4,), 3, seed).model) for seed in (0, 1))
    assert len(set(first + second)) == 8


def test_the_users_random_numbers_and_names_stay_as_they_are(build: Build) -> None:
    def drawn() -> tuple[float, ...]:
        of_numpy = np.random.rand()  # noqa: NPY002
        return random.random(), of_numpy, float(tf.random.uniform(())), float(keras.random.uniform(()))

    layer = keras.layers.Dense(1)
    keras.utils.set_random_seed(3)
    expected = drawn()
    keras.utils.set_random_seed(3)
    build("cnn", dropout=0.1)
    assert drawn() == expected
    number = int(layer.name.rpartition("_")[2] or 0) if "_" in layer.name else 0
    assert keras.layers.Dense(1).name == f"dense_{number + 1}"


def test_a_name_that_fits_no_site_is_refused_with_the_nearest(build: Build) -> None:
    with pytest.raises(UsageError, match=r"unknown site: 'tpo' \(did you mean 'top'\?\)"):
        build("cnn", dropout={"tpo": 0.1})
    with pytest.raises(
        UsageError, match=r"pattern matches no site: 'block\*' \(allowed: spatial, noise, top\)"
    ):
        build("cnn", dropout={"block*": 0.1})


def test_the_published_network_has_the_names_of_its_sites_and_stays_as_it_was() -> None:
    from dropout_lab.models.published import build_model

    spec = ModelSpec(dropout={"conv2": 0.3})
    network = build_network(spec, (28, 28, 1), 10, 5)
    assert network.rates == {"conv1": 0.0, "conv2": 0.3, "dense": 0.0}
    assert [site.path for site in network.sites] == ["dropout", "dropout_1", "dropout_2"]
    assert network.outputs == "probabilities"
    assert weights_fingerprint(network.model) == weights_fingerprint(build_model(spec, 5))
    with pytest.raises(UsageError, match=r"published does not take inputs of shape \(64,\)"):
        build_network(spec, (64,), 10, 0)


@pytest.mark.slow
def test_a_network_of_keras_applications_has_twins() -> None:
    spec = {"network": "keras.applications:EfficientNetB0"}
    networks = [
        build_network(ModelSpec.model_validate(spec | {"dropout": rates}), (32, 32, 3), 10, 0)
        for rates in ("as_built", {"block*_drop": 0, "top_dropout": 0.3})
    ]
    assert len({weights_fingerprint(network.model) for network in networks}) == 1
    assert networks[0].rates["top_dropout"] == 0.2
    assert {rate for site, rate in networks[1].rates.items() if site != "top_dropout"} == {0.0}
