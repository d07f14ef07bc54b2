import pytest

from dropout_lab.errors import UsageError
from dropout_lab.models.network import build_network
from dropout_lab.spec import ModelSpec


def test_it_has_the_parameters_of_the_published_network() -> None:
    network = build_network(ModelSpec(network="lenet5", dropout=0.1), (28, 28, 1), 10, 0)
    # Two convolutions of 5 x 5, three dense layers.
    expected = (25 + 1) * 6 + (25 * 6 + 1) * 16 + (5 * 5 * 16 + 1) * 120 + (120 + 1) * 84 + (84 + 1) * 10
    assert network.model.count_params() == expected == 61_706
    assert network.rates == {"conv1": 0.1, "conv2": 0.1, "dense1": 0.1, "dense2": 0.1}
    assert tuple(network.rates) == ModelSpec(network="lenet5").sites


def test_small_images_are_padded_and_other_inputs_refused() -> None:
    assert build_network(ModelSpec(network="lenet5"), (8, 8, 1), 10, 0).model.output_shape == (None, 10)
    with pytest.raises(UsageError, match=r"lenet5 does not take inputs of shape \(64,\)"):
        build_network(ModelSpec(network="lenet5"), (64,), 10, 0)
