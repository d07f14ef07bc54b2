import itertools
from dataclasses import replace

import keras
import numpy as np
import pytest

from dropout_lab.errors import UsageError
from dropout_lab.models.kinds import StandardDropout
from dropout_lab.models.network import Network, build_network
from dropout_lab.models.sites import Site, find_sites
from dropout_lab.models.weighted_pooling import WeightedPooling2D, expected_maximum, weighted_pooling_model
from dropout_lab.spec import ModelSpec

RANDOM = np.random.default_rng(0)


def over_all_masks(window: np.ndarray, rate: float) -> float:
    """The mean of the maximum of inverted dropout over all 2^n masks."""
    masks = np.array(list(itertools.product([0, 1], repeat=len(window))))
    probabilities = np.where(masks, 1 - rate, rate).prod(axis=1)
    return float(probabilities @ (masks * window / (1 - rate)).max(axis=1))


def network(*layers: keras.layers.Layer, shape: tuple[int, ...] = (6, 6, 2)) -> Network:
    model = keras.Sequential([keras.Input(shape), *layers])
    return Network(model=model, sites=find_sites(model))


@pytest.mark.parametrize("rate", [0.0, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("size", [1, 2, 4, 6])
def test_expectation_over_all_masks(size, rate):
    windows = RANDOM.normal(size=(200, size)).astype(np.float32)
    windows[:50] = np.abs(windows[:50])  # as after ReLU
    windows[50:70] = -np.abs(windows[50:70])
    windows[70:80] = windows[70:80].round()  # with ties and zeros
    expected = [over_all_masks(window, rate) for window in windows.astype(np.float64)]
    assert np.asarray(expected_maximum(list(windows.T), rate)) == pytest.approx(expected, abs=2e-6)


def test_weights_are_those_of_the_paper():
    # Wu & Gu: the i-th smallest of n has p q^(n - i); activations kept in training are 1 / p as large.
    keep = 0.7
    ascending = np.array([0.5, 1.0, 2.0, 4.0], dtype=np.float32)
    paper = sum(keep * (1 - keep) ** (4 - i) * a / keep for i, a in enumerate(ascending, start=1))
    assert float(expected_maximum(list(ascending), 1 - keep)) == pytest.approx(paper)


@pytest.mark.parametrize(
    "arguments",
    [
        {"pool_size": 2},
        pytest.param({"pool_size": 2, "padding": "same"}, marks=pytest.mark.slow),
        {"pool_size": 3, "strides": 2, "padding": "same"},
        pytest.param({"pool_size": (2, 3), "strides": 1}, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_the_layer_agrees_with_the_mean_of_many_masks(arguments):
    rate, num_masks = 0.4, 40_000
    net = network(keras.layers.Dropout(rate, seed=1), keras.layers.MaxPooling2D(**arguments), shape=(5, 5, 2))
    image = RANDOM.normal(size=(1, 5, 5, 2)).astype(np.float32)
    sampled = np.asarray(net.model(np.repeat(image, num_masks, axis=0), training=True))
    found = np.asarray(weighted_pooling_model(net)(image))[0]
    error = (found - sampled.mean(axis=0)) / (sampled.std(axis=0) / np.sqrt(num_masks) + 1e-6)
    assert found.shape == sampled.shape[1:]
    assert np.abs(error).max() < 6.5


def test_rate_0_is_max_pooling_bit_for_bit():
    net = network(keras.layers.Dropout(0.0), keras.layers.MaxPooling2D(2, padding="same"), shape=(5, 5, 3))
    images = RANDOM.normal(size=(20, 5, 5, 3)).astype(np.float32)
    assert np.array_equal(weighted_pooling_model(net)(images), net.model(images))


def test_the_published_network_has_two_such_poolings_and_keeps_its_weights_and_random_numbers():
    spec = ModelSpec(dropout=0.3, dropout_position="before_pooling")
    net = build_network(spec, (28, 28, 1), 10, 0)
    images = RANDOM.random((20, 28, 28, 1)).astype(np.float32)
    before = np.asarray(net.model(images))
    keras.utils.set_random_seed(5)
    drawn = keras.random.normal((3,)), np.random.random(3)  # noqa: NPY002
    keras.utils.set_random_seed(5)
    model = weighted_pooling_model(net)
    assert np.array_equal(drawn[0], keras.random.normal((3,)))
    assert np.array_equal(drawn[1], np.random.random(3))  # noqa: NPY002
    kinds = [type(layer) for layer in model.layers]
    assert kinds.count(WeightedPooling2D) == 2
    assert keras.layers.MaxPooling2D not in kinds
    assert all(map(np.array_equal, model.get_weights(), net.model.get_weights()))
    assert np.array_equal(before, net.model(images))
    assert not np.allclose(before, model(images))


@pytest.mark.parametrize(
    ("dropout", "replaced"),
    [
        ({"conv1": {"kind": "spatial", "rate": 0.2}, "conv2": 0.3}, ["max_pooling2d_1"]),
        ({"conv1": {"kind": "dropblock", "rate": 0.2}, "conv2": {"kind": "gaussian", "rate": 0.2}}, []),
    ],
)
def test_other_kinds_of_dropout_are_left_as_they_are(dropout, replaced):
    spec = ModelSpec.model_validate({"dropout": dropout, "dropout_position": "before_pooling"})
    net = build_network(spec, (28, 28, 1), 10, 0)
    if not replaced:
        with pytest.raises(UsageError, match="no standard dropout directly before max-pooling"):
            weighted_pooling_model(net)
        return
    model = weighted_pooling_model(net)
    assert [one.name for one in model.layers if isinstance(one, WeightedPooling2D)] == replaced
    assert all(map(np.array_equal, model.get_weights(), net.model.get_weights()))


def test_layers_with_a_variable_rate_count_with_the_current_rate():
    images = RANDOM.random((3, 6, 6, 2)).astype(np.float32)
    dropout = StandardDropout(0.9, variable_rate=True, name="drop")
    net = network(dropout, keras.layers.MaxPooling2D(2))
    site = Site(name="drop", path="drop", kind="standard", argument="rate", shape=None, layer=dropout)
    dropout.rate_variable.assign(0.5)
    found = weighted_pooling_model(replace(net, sites=(site,)))(images)
    stock = weighted_pooling_model(network(keras.layers.Dropout(0.5), keras.layers.MaxPooling2D(2)))(images)
    assert np.array_equal(found, stock)


def test_nested_networks_are_searched():
    inner = network(keras.layers.Dropout(0.5), keras.layers.MaxPooling2D(2)).model
    inputs = keras.Input((6, 6, 2))
    outer = keras.Model(inputs, keras.layers.Flatten()(inner(inputs)))
    images = RANDOM.random((3, 6, 6, 2)).astype(np.float32)
    found = weighted_pooling_model(Network(model=outer, sites=find_sites(outer)))(images)
    alone = weighted_pooling_model(Network(model=inner, sites=find_sites(inner)))(images)
    assert np.array_equal(found, np.reshape(alone, (3, -1)))


class Own(keras.Model):
    def __init__(self, **arguments):
        super().__init__(**arguments)
        self.drop, self.pool = keras.layers.Dropout(0.5), keras.layers.MaxPooling2D(2)

    def call(self, inputs):
        return self.pool(self.drop(inputs))


@pytest.mark.parametrize(
    "layers",
    [
        [keras.layers.MaxPooling2D(2), keras.layers.Dropout(0.5)],
        [keras.layers.Dropout(0.5), keras.layers.AveragePooling2D(2)],
        [keras.layers.SpatialDropout2D(0.5), keras.layers.MaxPooling2D(2)],
        [keras.layers.Dropout(0.5, noise_shape=(None, 1, 1, 2)), keras.layers.MaxPooling2D(2)],
        [keras.layers.Dropout(0.5), keras.layers.ReLU(), keras.layers.MaxPooling2D(2)],
    ],
)
def test_other_networks_are_refused(layers):
    with pytest.raises(UsageError, match="no standard dropout directly before max-pooling"):
        weighted_pooling_model(network(*layers))


def test_a_class_of_the_users_is_refused():
    model = Own()
    model.build((None, 6, 6, 2))
    with pytest.raises(UsageError, match="does not apply"):
        weighted_pooling_model(Network(model=model, sites=find_sites(model)))


def test_a_network_of_the_current_weights_only():
    net = network(keras.layers.Conv2D(2, 1), keras.layers.Dropout(0.5), keras.layers.MaxPooling2D(2))
    images = RANDOM.random((3, 6, 6, 2)).astype(np.float32)
    before = np.asarray(weighted_pooling_model(net)(images))
    net.model.set_weights([2 * weight for weight in net.model.get_weights()])
    assert np.asarray(weighted_pooling_model(replace(net))(images)) == pytest.approx(2 * before, rel=1e-5)
