"""One case per kind of dropout: how to make its layer, and what it does at inference."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import pytest

from dropout_lab.models.kinds import (
    AlphaDropout,
    ConcreteDropout,
    DropBlock,
    DropConnectConv2D,
    DropConnectDense,
    GaussianDropout,
    SpatialDropout,
    StandardDropout,
    StochasticDepth,
)

WEIGHTS = {
    "kernel_initializer": keras.initializers.GlorotUniform(seed=3),
    "bias_initializer": keras.initializers.RandomNormal(seed=4),
    "activation": "tanh",
}


@dataclass(frozen=True)
class Kind:
    """A kind of dropout as its tests need it.

    Attributes:
        layer_class: Class of the layer.
        shape: Shape of its inputs, with the batch.
        options: Arguments of the layer besides rate and seed.
        stock: Layer of Keras with the same random numbers, if there is one.
        plain: Class of the layer at inference; None if it returns its inputs.
        zeros: Whether what is dropped is exactly 0.
        learned: Whether the rate is learned.
    """

    layer_class: type[keras.layers.Layer]
    shape: tuple[int, ...] = (20, 12)
    options: dict[str, Any] = field(default_factory=dict)
    stock: Callable[..., keras.layers.Layer] | None = None
    plain: type[keras.layers.Layer] | None = None
    zeros: bool = True
    learned: bool = False

    def layer(self, rate: Any = 0.3, seed: int | None = 1, **more: Any) -> keras.layers.Layer:
        return self.layer_class(rate, seed, **self.options, **more)

    def inputs(self, num_examples: int | None = None) -> np.ndarray:
        """Return standard normal numbers, with a negative zero."""
        shape = (num_examples or self.shape[0], *self.shape[1:])
        inputs = np.random.default_rng(0).normal(size=shape).astype(np.float32)
        inputs[0, 0] = -0.0
        return inputs

    def without_dropout(self, inputs: np.ndarray) -> np.ndarray:
        """Return what the layer makes of `inputs` at inference and at rate 0."""
        return inputs if self.plain is None else self.plain(**self.options)(inputs).numpy()


def _fixed(noise_shape: tuple[int | None, ...]) -> Callable[..., keras.layers.Layer]:
    return lambda *given, **more: keras.layers.Dropout(*given, noise_shape=noise_shape, **more)


KINDS = {
    "standard": Kind(StandardDropout, stock=keras.layers.Dropout),
    "standard, noise shape": Kind(
        StandardDropout, (6, 5, 4), {"noise_shape": (None, 1, None)}, _fixed((None, 1, None))
    ),
    "spatial 1D": Kind(SpatialDropout, (20, 3, 8), stock=keras.layers.SpatialDropout1D),
    "spatial 2D": Kind(SpatialDropout, (20, 3, 2, 8), stock=keras.layers.SpatialDropout2D),
    "spatial 3D": Kind(SpatialDropout, (20, 3, 2, 2, 8), stock=keras.layers.SpatialDropout3D),
    "gaussian": Kind(GaussianDropout, stock=keras.layers.GaussianDropout, zeros=False),
    "alpha": Kind(AlphaDropout, stock=keras.layers.AlphaDropout, zeros=False),
    "drop block": Kind(DropBlock, (20, 5, 4, 3), {"block_size": 2}),
    "stochastic depth": Kind(StochasticDepth, (20, 2, 2, 3), stock=_fixed((None, 1, 1, 1))),
    "concrete": Kind(ConcreteDropout, options={"num_examples": 100}, zeros=False, learned=True),
    "concrete 2D": Kind(
        ConcreteDropout, (20, 2, 2, 8), {"num_examples": 100, "temperature": 0.5}, zeros=False, learned=True
    ),
    "drop connect dense": Kind(
        DropConnectDense, options={"units": 5, **WEIGHTS}, plain=keras.layers.Dense, zeros=False
    ),
    "drop connect conv": Kind(
        DropConnectConv2D,
        (3, 5, 4, 2),
        {"filters": 3, "kernel_size": 2, **WEIGHTS},
        plain=keras.layers.Conv2D,
        zeros=False,
    ),
}


def _fixture(names: Iterable[str]) -> Callable[..., Any]:
    return pytest.fixture(params=list(names))(lambda request: KINDS[request.param])


kind = _fixture(KINDS)
variable_kind = _fixture(name for name, kind in KINDS.items() if not kind.learned)
unit_kind = _fixture(name for name, kind in KINDS.items() if kind.plain is None)
zero_kind = _fixture(name for name, kind in KINDS.items() if kind.zeros)
stock_kind = _fixture(name for name, kind in KINDS.items() if kind.stock)
