"""Alpha dropout: dropped units take the value that SELU saturates at."""

from typing import Any

import keras
from keras import ops

from dropout_lab.models.kinds.standard import NoiseShapeDropout, full_shape

SATURATION = -1.6732632423543772 * 1.0507009873554805
"""Limit of SELU at minus infinity: -alpha * scale (Klambauer et al. 2017, equation 14)."""


@keras.saving.register_keras_serializable("dropout_lab")
class AlphaDropout(NoiseShapeDropout):
    """Dropout that keeps the mean 0 and the variance 1 of self-normalizing networks.

    A dropped unit becomes s = -1.758, the value that SELU saturates at, and then all units become a x + b
    with a = ((1 - rate) (1 + rate s^2))^(-1/2) and b = -a rate s. Equal seeds give the outputs of
    `keras.layers.AlphaDropout`. Use it behind SELU activations with LeCun-normal initial weights, where
    standard dropout would change the variance. Elsewhere it has no advantage: the inputs are not normalized.

    Args:
        rate: Fraction of the units to drop, in [0, 1).
        seed: Seed of the masks. None draws one.
        noise_shape: Shape of the mask, which is broadcast to the inputs. None as a size takes that of the
            inputs.
        **kwargs: See `RatedLayer`.

    Call arguments:
        inputs: (batch, ...) tensor of mean 0 and variance 1.
        training: Whether to drop; else the inputs are returned.

    Returns:
        A tensor like `inputs`, with mean 0 and variance 1 if the inputs have these.

    Raises:
        ValueError: If `rate` or `noise_shape` is invalid.

    Reference:
        Klambauer et al., "Self-Normalizing Neural Networks", NeurIPS 2017, arXiv 1706.02515, section 3.
    """

    def drop(self, inputs: Any) -> Any:
        """See `DropoutLayer.drop`."""
        rate = self.applied_rate
        kept = self.draw_kept(full_shape(self.noise_shape, inputs))
        scale = ((1 - rate) * (1 + rate * SATURATION**2)) ** -0.5
        shift = -scale * SATURATION * rate
        mixed = ops.where(kept, inputs, SATURATION)
        dropped = mixed * ops.cast(scale, inputs.dtype) + ops.cast(shift, inputs.dtype)
        # At a variable rate of 0, adding the shift of 0 would turn -0.0 into 0.0.
        return dropped if self.rate_variable is None else ops.where(rate > 0, dropped, inputs)
