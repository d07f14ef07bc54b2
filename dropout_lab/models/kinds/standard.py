"""Standard dropout: single units."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from dropout_lab.models.kinds.base import DropoutLayer


class NoiseShapeDropout(DropoutLayer):
    """Layer whose mask may have a shape of its own, as `noise_shape` of `keras.layers.Dropout`."""

    def __init__(
        self,
        rate: float,
        seed: int | None = None,
        *,
        noise_shape: Sequence[int | None] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(rate, seed, **kwargs)
        self.noise_shape = checked_noise_shape(noise_shape)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "noise_shape": self.noise_shape}


@keras.saving.register_keras_serializable("dropout_lab")
class StandardDropout(NoiseShapeDropout):
    """Dropout of single units: each is 0 with probability `rate`, else divided by 1 - rate.

    `keras.layers.Dropout` with a rate that may be variable: equal seeds give equal masks. The first choice
    between dense layers, where each unit has a role of its own. Neighboring pixels of a feature map tell
    what is dropped, so that spatial dropout or DropBlock suits convolutions better.

    Args:
        rate: Fraction of the units to drop, in [0, 1).
        seed: Seed of the masks. None draws one.
        noise_shape: Shape of the mask, which is broadcast to the inputs: ``(None, 1, None)`` drops the same
            features at all steps of a sequence. None as a size takes that of the inputs.
        **kwargs: See `RatedLayer`.

    Call arguments:
        inputs: (batch, ...) tensor.
        training: Whether to drop; else the inputs are returned.

    Returns:
        A tensor like `inputs`, with their mean.

    Raises:
        ValueError: If `rate` or `noise_shape` is invalid.

    Reference:
        Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", JMLR 15
        (2014), sections 4 and 10: scaling in training ("inverted dropout") in place of at test time.
    """

    def drop(self, inputs: Any) -> Any:
        """See `DropoutLayer.drop`."""
        return self.drop_and_scale(inputs, full_shape(self.noise_shape, inputs))


def checked_noise_shape(noise_shape: Sequence[int | None] | None) -> tuple[int | None, ...] | None:
    """Return `noise_shape` as Keras stores it, or raise ValueError as Keras does."""
    shape: tuple[int | None, ...] | None = keras.layers.Dropout(0, noise_shape=noise_shape).noise_shape
    return shape


def full_shape(noise_shape: tuple[int | None, ...] | None, inputs: Any) -> tuple[Any, ...]:
    """Return `noise_shape` with the sizes of `inputs` in place of None."""
    shape: tuple[Any, ...] = ops.shape(inputs)
    if noise_shape is None:
        return shape
    return tuple(size if given is None else given for given, size in zip(noise_shape, shape, strict=True))
