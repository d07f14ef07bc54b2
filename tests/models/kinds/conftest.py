"""One case per kind of dropout: how to make its layer, and inputs that it takes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import pytest

from dropout_lab.models.kinds import AlphaDropout, GaussianDropout, SpatialDropout, StandardDropout


@dataclass(frozen=True)
class Kind:
    """A kind of dropout as its tests need it.

    Attributes:
        layer_class: Class of the layer.
        shape: Shape of its inputs, with the batch.
        options: Arguments of the layer besides rate and seed.
        stock: Layer of Keras with the same random numbers, if there is one.
        zeros: Whether what is dropped is exactly 0.
    """

    layer_class: type[keras.layers.Layer]
    shape: tuple[int, ...] = (20, 12)
    options: dict[str, Any] = field(default_factory=dict)
    stock: Callable[..., keras.layers.Layer] | None = None
    zeros: bool = True

    def layer(self, rate: float = 0.3, seed: int = 1, **more: Any) -> keras.layers.Layer:
        return self.layer_class(rate, seed, **self.options, **more)

    def inputs(self, seed: int = 0) -> np.ndarray:
        return np.random.default_rng(seed).normal(size=self.shape).astype(np.float32)


KINDS = {
    "standard": Kind(StandardDropout, stock=keras.layers.Dropout),
    "standard, noise shape": Kind(
        StandardDropout,
        (6, 5, 4),
        {"noise_shape": (None, 1, None)},
        lambda *given, **more: keras.layers.Dropout(*given, noise_shape=(None, 1, None), **more),
    ),
    "spatial 1D": Kind(SpatialDropout, (20, 3, 8), stock=keras.layers.SpatialDropout1D),
    "spatial 2D": Kind(SpatialDropout, (20, 3, 2, 8), stock=keras.layers.SpatialDropout2D),
    "spatial 3D": Kind(SpatialDropout, (20, 3, 2, 2, 8), stock=keras.layers.SpatialDropout3D),
    "gaussian": Kind(GaussianDropout, stock=keras.layers.GaussianDropout, zeros=False),
    "alpha": Kind(AlphaDropout, stock=keras.layers.AlphaDropout, zeros=False),
}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


@pytest.fixture(params=[name for name, kind in KINDS.items() if kind.stock])
def stock_kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]
