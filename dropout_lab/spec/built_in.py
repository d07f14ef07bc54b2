"""The networks that come with dropout_lab: one entry per network, and one file with its builder."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, kw_only=True)
class BuiltIn:
    """A network that a spec names by a word.

    Attributes:
        builder: ``module:function`` that returns a Keras model. It is called with `input_shape`,
            `num_classes` and `fields`, and names each dropout layer like its site.
        fields: Fields of `ModelSpec` that apply to it, besides `network` and `dropout`.
        sites: From these fields to the names of its dropout sites, from the input on.
        optional_sites: Sites before them that it has only if a spec gives them a rate by name.
    """

    builder: str
    fields: tuple[str, ...]
    sites: Callable[[Mapping[str, Any]], Sequence[str]]
    optional_sites: tuple[str, ...] = ()


BUILT_IN: Final[Mapping[str, BuiltIn]] = {
    # Its seeds are derived from the names of its layers, so its builder takes the spec and the seed.
    "published": BuiltIn(
        builder="dropout_lab.models.published:build_model",
        fields=("dropout_position", "filters", "hidden_units", "activation", "batch_normalization"),
        sites=lambda _: ("conv1", "conv2", "dense"),
        optional_sites=("images",),
    ),
    "mlp": BuiltIn(
        builder="dropout_lab.models.mlp:build_mlp",
        fields=("hidden", "activation", "batch_normalization"),
        sites=lambda fields: ("input", *(f"hidden_{i}" for i, _ in enumerate(fields["hidden"], start=1))),
    ),
    "lenet5": BuiltIn(
        builder="dropout_lab.models.lenet5:build_lenet5",
        fields=("batch_normalization",),
        sites=lambda _: ("conv1", "conv2", "dense1", "dense2"),
    ),
    "resnet": BuiltIn(
        builder="dropout_lab.models.resnet:build_resnet",
        fields=("blocks", "activation", "batch_normalization"),
        sites=lambda fields: (*(f"block{i}" for i in range(1, 2 * fields["blocks"] + 1)), "top"),
    ),
}
