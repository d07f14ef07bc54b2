"""The residual network: its size, its sites, and what it refuses."""

import keras
import pytest

from dropout_lab.errors import UsageError
from dropout_lab.models.network import build_network
from dropout_lab.models.resnet import build_resnet
from dropout_lab.spec import ModelSpec


@pytest.mark.parametrize(("side", "first", "second"), [(28, 14, 7), (8, 8, 4)])
def test_its_branches_end_in_sites(side: int, first: int, second: int) -> None:
    network = build_network(ModelSpec(network="resnet", dropout=0.1), (side, side, 1), 10, 0)
    assert [(site.name, site.shape) for site in network.sites] == [
        ("block1", (first, first, 16)),
        ("block2", (first, first, 16)),
        ("block3", (second, second, 32)),
        ("block4", (second, second, 32)),
        ("top", (32,)),
    ]
    stem = 3 * 3 * 16 + 16
    stage1 = 4 * (3 * 3 * 16 * 16 + 16)
    stage2 = (3 * 3 * 16 * 32 + 32) + 3 * (3 * 3 * 32 * 32 + 32) + (16 * 32 + 32)
    assert network.model.count_params() == stem + stage1 + stage2 + (32 * 10 + 10) == 42_698


def test_its_size_activation_and_normalization_can_be_chosen() -> None:
    spec = ModelSpec(network="resnet", blocks=1, activation="selu", batch_normalization=True)
    assert spec.sites == ("block1", "block2", "top")
    model = build_network(spec, (8, 8, 3), 4, 0).model
    activations = [layer for layer in model.layers if isinstance(layer, keras.layers.Activation)]
    assert keras.activations.selu in [layer.activation for layer in activations]
    assert sum(isinstance(layer, keras.layers.BatchNormalization) for layer in model.layers) == 6
    assert isinstance(model.get_layer("stem").kernel_initializer, keras.initializers.LecunNormal)


def test_other_inputs_are_refused() -> None:
    with pytest.raises(UsageError, match=r"resnet does not take inputs of shape \(64,\) \(allowed: images"):
        build_resnet((64,), 10)
