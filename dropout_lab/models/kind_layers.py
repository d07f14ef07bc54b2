"""The layer of each kind of dropout: that of Keras where it has one, else that of dropout_lab."""

from collections.abc import Callable, Mapping
from typing import Any

import keras

from dropout_lab.models.kinds import (
    AlphaDropout,
    ConcreteDropout,
    DropBlock,
    DropConnect,
    DropConnectConv2D,
    DropConnectDense,
    GaussianDropout,
    RatedLayer,
    SpatialDropout,
    StandardDropout,
    StochasticDepth,
)
from dropout_lab.models.sites import Site

SPATIAL = {
    3: keras.layers.SpatialDropout1D,
    4: keras.layers.SpatialDropout2D,
    5: keras.layers.SpatialDropout3D,
}
"""Layers of Keras by the number of dimensions of their inputs, with the batch."""

STOCK: Mapping[str, Callable[..., keras.layers.Layer]] = {
    "standard": keras.layers.Dropout,
    "spatial": keras.layers.SpatialDropout2D,
    "gaussian": keras.layers.GaussianDropout,
    "alpha": keras.layers.AlphaDropout,
    "stochastic_depth": keras.layers.Dropout,
}
OWN: Mapping[str, Callable[..., keras.layers.Layer]] = {
    "standard": StandardDropout,
    "spatial": SpatialDropout,
    "gaussian": GaussianDropout,
    "alpha": AlphaDropout,
    "stochastic_depth": StochasticDepth,
    "dropblock": DropBlock,
    "concrete": ConcreteDropout,
}
WEIGHTED: Mapping[Any, type[DropConnect]] = {
    keras.layers.Dense: DropConnectDense,
    keras.layers.Conv2D: DropConnectConv2D,
}
RATE_ARGUMENTS = ("rate", "seed", "variable_rate")


def kind_of(site: Site) -> str | None:
    """Return the kind that the layer of a site is built as; None if it is no plain layer of Keras."""
    if site.argument != "rate":
        return None
    names: dict[type, str] = {
        keras.layers.Dropout: "standard",
        keras.layers.GaussianDropout: "gaussian",
        keras.layers.AlphaDropout: "alpha",
        **dict.fromkeys(SPATIAL.values(), "spatial"),
    }
    return names.get(type(site.layer))


def layer_of(
    kind: str, site: Site, rate: float, options: dict[str, Any], *, is_variable: bool
) -> keras.layers.Layer:
    """Return the layer of Keras for `kind` if it has one and the rate is constant, else the one of here."""
    options = options | common_options(site.layer)
    if not is_variable and kind in STOCK:
        return _stock(kind, rate, len(site.shape or ()) + 1, **options)
    if kind == kind_of(site) and kind in ("standard", "alpha"):
        options |= {"noise_shape": site.layer.noise_shape}
    return OWN[kind](rate, **options)


def _stock(kind: str, rate: float, rank: int, **options: Any) -> keras.layers.Layer:
    """Return the layer of Keras for `kind` and inputs with `rank` dimensions."""
    if kind == "stochastic_depth":
        options["noise_shape"] = (None, *(1 for _ in range(1, rank)))
    return (SPATIAL[rank] if kind == "spatial" else STOCK[kind])(rate, **options)


def common_options(layer: keras.layers.Layer) -> dict[str, Any]:
    """Return the options that a layer in place of `layer` has, too."""
    return {"name": layer.name, "dtype": layer.dtype_policy}


def stock_layer(layer: RatedLayer) -> keras.layers.Layer:
    """Return a layer of Keras that does at inference what `layer` does; if it can, in training too."""
    if isinstance(layer, DropConnect):
        stock = next(one for one, dropping in WEIGHTED.items() if type(layer) is dropping)
        config = layer.get_config()
        return stock.from_config({name: config[name] for name in config if name not in RATE_ARGUMENTS})
    kind = next(kind for kind, own in OWN.items() if type(layer) is own)
    if isinstance(layer, ConcreteDropout):  # it drops whole feature maps, of which a flat layer has none
        kind = "spatial" if layer.rank in SPATIAL else "standard"
        return _stock(kind, layer.current_rate, layer.rank, **common_options(layer))
    rank = len(layer.input.shape) if kind in ("spatial", "stochastic_depth") else 0
    if kind not in STOCK:
        return keras.layers.Dropout(0.0, **common_options(layer))
    options = {"noise_shape": layer.noise_shape} if kind in ("standard", "alpha") else {}
    return _stock(kind, layer.current_rate, rank, **options, **common_options(layer))
