"""Networks with every kind of dropout: equal initial weights, stock layers outside, and what is refused."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from dropout_lab.errors import UsageError
from dropout_lab.models.inspection import weights_fingerprint
from dropout_lab.models.network import Network, build_network
from dropout_lab.models.site_kinds import kind_variables, take_weights
from dropout_lab.models.sites import walk
from dropout_lab.models.weighted_pooling import weighted_pooling_model
from dropout_lab.spec import ModelSpec
from dropout_lab.spec.kinds import KINDS

NETWORKS: dict[str, tuple[dict[str, Any], tuple[int, ...]]] = {
    "published": ({"filters": [2, 3], "hidden_units": 4}, (28, 28, 1)),
    "mlp": ({"hidden": [5, 4]}, (4, 4)),
    "resnet": ({"blocks": 1}, (8, 8, 1)),
    "residual": ({}, (8, 8, 1)),
    "with_own_activation": ({}, (8, 8, 1)),
}
SITES = {
    "published": {
        "conv2": ("standard", "spatial", "gaussian", "alpha", "dropblock", "dropconnect", "concrete"),
        "dense": ("standard", "gaussian", "alpha", "dropconnect", "concrete"),
    },
    "mlp": {
        "input": ("standard", "gaussian", "alpha", "concrete"),
        "hidden_2": ("standard", "gaussian", "alpha", "dropconnect", "concrete"),
    },
    "resnet": {"block2": KINDS, "top": ("standard", "gaussian", "alpha", "concrete")},
    "residual": {
        "branch": KINDS,
        "scaled": ("standard", "gaussian", "alpha", "concrete"),
        "top": ("standard", "gaussian", "alpha", "dropconnect", "concrete"),
    },
}
"""The kinds that fit each of these sites; the others do not."""

NEW = ("dropblock", "dropconnect", "stochastic_depth", "concrete")
CASES = [
    pytest.param(name, site, kind, marks=[] if site == "branch" and kind in NEW else pytest.mark.slow)
    for name, sites in SITES.items()
    for site, kinds in sites.items()
    for kind in kinds
]
Build = Callable[..., Network]


@pytest.fixture(scope="module")
def build(networks: Path) -> Build:
    """Build a network with a setting at one site."""

    def make(name: str, dropout: object = 0.0, *, seed: int = 0, **options: Any) -> Network:
        fields, shape = NETWORKS[name]
        network = name if name in ("published", "mlp", "resnet") else f"{networks}:{name}"
        spec = ModelSpec.model_validate({"network": network, "dropout": dropout, **fields})
        return build_network(spec, shape, 3, seed, num_examples=100, **options)

    return make


def setting(kind: str) -> dict[str, Any]:
    return {"kind": kind, "rate": 0.4} | ({"block_size": 2} if kind == "dropblock" else {})


def inputs(name: str, count: int = 6) -> np.ndarray:
    return np.random.default_rng(0).random((count, *NETWORKS[name][1])).astype(np.float32)


def current_rates(network: Network) -> dict[str, float]:
    """Return the current rate of each site whose rate changes during training, by name."""
    changing = {*network.rate_variables, *network.learned_rates}
    return {name: rate for name, rate in network.rates.items() if name in changing}


def outputs(model: keras.Model, name: str, *, training: bool = False) -> np.ndarray:
    return np.asarray(model(inputs(name), training=training))


def own_fingerprint(network: Network) -> str:
    return weights_fingerprint(network.model, kind_variables(network.model))


def classes(model: keras.Model) -> set[str]:
    return {type(layer).__module__.partition(".")[0] for _, layer in walk(model)}


def test_layers_with_functions_of_the_users_are_made_again(build: Build) -> None:
    name = "with_own_activation"
    plain = build(name, "as_built")
    changed = build(name, {"conv": 0.2, "lstm.dropout": 0.4, "top": setting("dropconnect")})
    assert (changed.rates["lstm.dropout"], changed.rates["top"]) == (0.4, pytest.approx(0.4, abs=1e-6))
    expected = outputs(plain.model, name)
    np.testing.assert_array_equal(outputs(changed.export(), name), expected)
    pooled = outputs(weighted_pooling_model(plain), name)
    assert pooled.shape == expected.shape
    assert not np.array_equal(pooled, expected)


@pytest.mark.parametrize(("name", "site", "kind"), CASES)
def test_a_network_with_a_kind_is_a_twin_and_stands_alone(
    build: Build, name: str, site: str, kind: str, tmp_path: Path
) -> None:
    plain, network = build(name), build(name, {site: setting(kind)})
    assert own_fingerprint(network) == weights_fingerprint(plain.model)
    assert own_fingerprint(build(name, {site: setting(kind)}, seed=1)) != own_fingerprint(network)
    assert list(network.rates) == list(plain.rates)
    assert network.rates[site] == pytest.approx(0.4, abs=1e-6)

    expected = outputs(plain.model, name)
    np.testing.assert_array_equal(outputs(network.model, name), expected)
    exported = network.export()
    assert "dropout_lab" not in classes(exported)
    assert weights_fingerprint(exported) == weights_fingerprint(plain.model)
    exported.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", custom_objects=dict(network.custom_objects))
    np.testing.assert_array_equal(outputs(loaded, name), expected)

    first, second = (outputs(network.model, name, training=True) for _ in range(2))
    assert not np.array_equal(first, second)
    twin = build(name, {site: setting(kind)})
    np.testing.assert_array_equal(outputs(twin.model, name, training=True), first)


@pytest.mark.parametrize("name", ["published", pytest.param("residual", marks=pytest.mark.slow)])
def test_a_kind_that_does_not_fit_is_refused_with_those_that_do(build: Build, name: str) -> None:
    for site, kinds in SITES[name].items():
        for kind in set(KINDS) - set(kinds):
            with pytest.raises(UsageError) as caught:
                build(name, {site: setting(kind)})
            assert caught.value.message.startswith(f"model.dropout.{site}.kind: {kind} ")
            assert caught.value.message.endswith(f"(allowed here: {', '.join(kinds)})")


def test_standard_dropout_stays_the_network_that_it_was(build: Build) -> None:
    bare, named = build("published", {"conv1": 0.3}), build("published", {"conv1": setting("standard")})
    assert type(named.model.get_layer("dropout")) is keras.layers.Dropout
    assert [variable.path for variable in named.model.weights] == [one.path for one in bare.model.weights]
    assert named.export() is named.model


def test_the_random_numbers_of_the_process_are_what_they_were(build: Build) -> None:
    before = random.getstate()
    build("published", {"conv2": setting("gaussian")}, variable_sites=["conv2"])
    assert random.getstate() == before


def test_masks_of_a_site_do_not_depend_on_kinds_at_others(build: Build) -> None:
    def mask(**others: object) -> np.ndarray:
        network = build("published", {"dense": 0.5, **others})
        return np.asarray(network.model.get_layer("dropout_2")(np.ones((5, 4), np.float32), training=True))

    expected = mask()
    assert 0 < (expected == 0).mean() < 1
    for kind in ("spatial", "dropblock", "dropconnect", "concrete"):
        np.testing.assert_array_equal(mask(conv1=setting(kind)), expected)


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(kind, marks=[] if kind in ("spatial", "dropblock") else pytest.mark.slow)
        for kind in KINDS
        if kind != "concrete"
    ],
)
def test_a_rate_that_changes_is_read_by_the_next_step(build: Build, kind: str) -> None:
    name, site = "resnet", "block2"
    network = build(name, {site: setting(kind)}, variable_sites=[site])
    assert list(network.rate_variables) == [site]
    assert current_rates(network) == {site: 0.4}
    expected = outputs(build(name).model, name)
    constant = build(name, {site: setting(kind)})
    np.testing.assert_allclose(
        outputs(network.model, name, training=True), outputs(constant.model, name, training=True), atol=1e-6
    )
    network.rate_variables[site].assign(0.0)
    np.testing.assert_array_equal(outputs(network.model, name, training=True), expected)
    assert current_rates(network) == {site: 0.0}
    assert network.export().get_layer(site).rate == 0.0


def test_a_learned_rate_is_exported_and_taken_again(build: Build) -> None:
    network = build("published", {"*": setting("concrete")})
    for number, site in enumerate(network.sites, start=1):
        site.layer.logit.assign(-number)
    learned = current_rates(network)
    assert learned["conv2"] == pytest.approx(1 / (1 + np.exp(2)))
    exported = network.export()
    kinds = [type(exported.get_layer(site.layer.name)).__name__ for site in network.sites]
    assert kinds == ["SpatialDropout2D", "SpatialDropout2D", "Dropout"]
    again = build("published", {"*": setting("concrete")}, seed=1)
    take_weights(again.model, exported)
    assert own_fingerprint(again) == own_fingerprint(network)
    assert current_rates(again) == pytest.approx(learned)


def test_concrete_dropout_regularizes_the_weights_behind_it(build: Build) -> None:
    network = build("published", {"dense": {"kind": "concrete", "rate": 0.4, "length_scale": 1000}})
    small = float(sum(network.model.losses))
    kernel = network.model.get_layer("dense_1").kernel
    kernel.assign(kernel * 2)
    assert float(sum(network.model.losses)) == pytest.approx(
        small + 1000**2 / 200 / 0.6 * 0.75 * float(np.sum(np.square(kernel))), rel=1e-3
    )


@pytest.fixture(scope="module")
def build_own(networks: Path) -> Callable[..., Network]:
    def make(name: str, dropout: object, **options: Any) -> Network:
        spec = ModelSpec.model_validate({"network": f"{networks}:{name}", "dropout": dropout})
        shape = {"transformer": (8,), "lstm": (6,), "nested": (4,), "whole": (8,), "cnn": (8, 8, 1)}[name]
        return build_network(spec, shape, 3, 0, **options)

    return make


@pytest.mark.parametrize(
    ("name", "dropout", "problem"),
    [
        ("lstm", {"gru.dropout": {"kind": "gaussian"}}, r"gru\.dropout is an argument of the layer GRU, not"),
        ("lstm", {"each": {"kind": "spatial"}}, "spatial needs to know the shape of the values, which"),
        ("whole", {"dropout": {"kind": "gaussian"}}, "the constructor of a layer of yours makes the dropout"),
        ("nested", {"*": {"block_size": 3}}, r"first/drop\.block_size: does not apply without a kind \(requ"),
    ],
)
def test_a_site_that_cannot_change_is_refused_with_the_reason(
    build_own: Callable[..., Network], name: str, dropout: object, problem: str
) -> None:
    with pytest.raises(UsageError, match=problem):
        build_own(name, dropout)


def test_a_kind_beside_layers_of_the_users_leaves_their_weights_and_masks(
    build_own: Callable[..., Network],
) -> None:
    plain = build_own("transformer", {"*": 0, "*attention*": 0.5})
    name = plain.sites[-1].name
    network = build_own("transformer", {"*": 0, "*attention*": 0.5, name: {"kind": "gaussian"}})
    assert network.sites[-1].kind == "GaussianDropout"
    assert own_fingerprint(network) == weights_fingerprint(plain.model)
    values = np.random.default_rng(0).random((4, 8)).astype(np.float32)
    np.testing.assert_array_equal(network.model(values, training=True), plain.model(values, training=True))


def test_sites_in_nested_models_and_wrappers_change(build_own: Callable[..., Network]) -> None:
    nested = build_own("nested", {"second/drop": {"kind": "dropconnect", "rate": 0.5}})
    assert [(site.name, site.kind) for site in nested.sites] == [
        ("first/drop", "Dropout"),
        ("second/drop", "DropConnectDense"),
    ]
    wrapped = build_own("lstm", {"each": {"kind": "gaussian", "rate": 0.5}})
    assert (wrapped.sites[0].name, wrapped.sites[0].kind) == ("each", "GaussianDropout")
    assert wrapped.rates["each"] == 0.5
    learned = build_own("lstm", {"each": {"kind": "concrete", "rate": 0.5}}).export()
    assert {layer.name: layer.rate for _, layer in walk(learned) if hasattr(layer, "rate")}["each"] == 0.5


def test_the_rate_of_layers_that_are_built_as_other_kinds_can_change(
    build_own: Callable[..., Network],
) -> None:
    network = build_own("cnn", "as_built", variable_sites=["spatial", "noise", "top"])
    kinds = [site.kind for site in network.sites]
    assert kinds == ["SpatialDropout", "GaussianDropout", "StandardDropout"]
    assert current_rates(network) == {"spatial": 0.1, "noise": 0.2, "top": 0.4}
    exported = [
        type(layer).__name__ for layer in network.export().layers if "Dropout" in type(layer).__name__
    ]
    assert exported == ["SpatialDropout2D", "GaussianDropout", "Dropout"]
