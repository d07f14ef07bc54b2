"""What the layers of the dropout family share: their rate, their random numbers, and when they drop."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops

RATE_DECIMALS = 7
"""Decimals that are read from a variable rate. Numbers in [0, 1) lie within 3e-8 of their float32: rounding
turns 0.300000012 into 0.3 again, so that formulas give the bits that they give for a constant rate."""


class RatedLayer(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Layer with a dropout rate, constant or variable, and random numbers of its own.

    A base of whole layers, and a mixin in front of a layer of Keras that has weights to drop.

    Args:
        rate: Fraction to drop, in [0, 1).
        seed: Seed of the random numbers. None draws one.
        variable_rate: Whether the rate is a variable that a compiled step reads: assigning to
            `rate_variable` between steps changes the fraction that is dropped, without tracing again.
        **kwargs: Other arguments of the layer, such as `name` and `dtype`.

    Attributes:
        rate: The rate that the layer was made with.
        rate_variable: Scalar variable in float32 that starts at `rate`; None if the rate is constant.
        seed_generator: The source of the random numbers, whatever the rate.

    Raises:
        ValueError: If `rate` is not a number in [0, 1).
    """

    def __init__(
        self, rate: float, seed: int | None = None, *, variable_rate: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate < 1:
            raise ValueError(
                "Invalid value received for argument `rate`. Expected a float value between 0 and 1, "
                f"1 excluded. Received: rate={rate!r}"
            )
        self.rate = float(rate)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.rate_variable = (
            self.add_weight(
                name="rate",
                shape=(),
                initializer=keras.initializers.Constant(self.rate),
                dtype="float32",
                trainable=False,
                autocast=False,
            )
            if variable_rate
            else None
        )

    @property
    def current_rate(self) -> float:
        """The rate that the next step applies."""
        if self.rate_variable is None:
            return self.rate
        return round(float(self.rate_variable.numpy()), RATE_DECIMALS)

    @property
    def applied_rate(self) -> Any:
        """The rate that formulas use: a float, or a scalar tensor in float64."""
        if self.rate_variable is None:
            return self.rate
        places = 10.0**RATE_DECIMALS
        return ops.round(ops.cast(self.rate_variable, "float64") * places) / places

    def drops(self, training: bool | None) -> bool:
        """Return whether a call in this mode may drop."""
        return bool(training) and (self.rate > 0 or self.rate_variable is not None)

    def draw_kept(self, shape: Sequence[Any]) -> Any:
        """Draw which elements are kept: the mask of `keras.layers.Dropout` in float32 at this seed."""
        rate = self.rate if self.rate_variable is None else ops.convert_to_tensor(self.rate_variable)
        return self.uniform(shape) >= rate

    def uniform(self, shape: Sequence[Any]) -> Any:
        """Draw numbers in [0, 1), in float32 at any precision.

        In bfloat16 they have 8 bits, and 0.306 of them are below 0.3 (Keras 3.15).
        """
        return keras.random.uniform(shape, dtype="float32", seed=self.seed_generator)

    def drop_and_scale(self, values: Any, mask_shape: Sequence[Any] | None = None) -> Any:
        """Return `values` with a fraction of them 0, and the others divided by 1 - rate.

        Args:
            values: Tensor in float32 or float64.
            mask_shape: Shape of the mask, which is broadcast to `values`; by default their shape.
        """
        kept = self.draw_kept(ops.shape(values) if mask_shape is None else mask_shape)
        scale = 1 / (1 - self.applied_rate)
        return ops.where(kept, values * ops.cast(scale, values.dtype), 0.0)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {
            **super().get_config(),
            "rate": self.rate,
            "seed": self.seed,
            "variable_rate": self.rate_variable is not None,
        }


class DropoutLayer(RatedLayer):
    """Layer that drops units in training and returns its inputs at inference.

    A kind of dropout is a subclass with the method `drop`. See `RatedLayer` for the arguments.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.supports_masking = True
        # As layers of Keras without weights; a subclass with a `build` of its own is built at its first call.
        self.built = type(self).build is keras.layers.Layer.build

    def call(self, inputs: Any, training: bool | None = False) -> Any:
        """Return `inputs`, of which units are dropped if `training` is true and the rate may be above 0."""
        return in_float32(self.drop, inputs) if self.drops(training) else inputs

    def drop(self, inputs: Any) -> Any:
        """Return `inputs` as a training step sees them.

        Args:
            inputs: (batch, ...) tensor in float32 or float64.
        """
        raise NotImplementedError

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return `input_shape`."""
        return input_shape


def in_float32(function: Callable[[Any], Any], values: Any) -> Any:
    """Apply `function` to `values` in float32 if they have a lower precision, and round the result to it."""
    precision = keras.backend.result_type(values.dtype, "float32")
    return ops.cast(function(ops.cast(values, precision)), values.dtype)
