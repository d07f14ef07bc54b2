"""Gaussian dropout: multiplicative noise in place of zeros."""

from typing import Any

import keras
from keras import ops

from dropout_lab.models.kinds.base import DropoutLayer


@keras.saving.register_keras_serializable("dropout_lab")
class GaussianDropout(DropoutLayer):
    """Multiplication of each unit by noise from N(1, rate / (1 - rate)).

    Mean and variance of the noise are those of standard dropout with its scaling. Equal seeds give the noise
    of `keras.layers.GaussianDropout`. Use it in place of standard dropout where zeros do harm, for instance
    before a logarithm or a norm. No unit is ever off, and the sign of a unit may turn at high rates.

    Args:
        rate: Rate of the standard dropout with the same variance, in [0, 1).
        seed: Seed of the noise. None draws one.
        **kwargs: See `RatedLayer`.

    Call arguments:
        inputs: (batch, ...) tensor.
        training: Whether to multiply; else the inputs are returned.

    Returns:
        A tensor like `inputs`, with their mean.

    Raises:
        ValueError: If `rate` is invalid.

    Reference:
        Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", JMLR 15
        (2014), section 10.
    """

    def drop(self, inputs: Any) -> Any:
        """See `DropoutLayer.drop`."""
        rate = self.applied_rate
        noise = keras.random.normal(
            ops.shape(inputs),
            mean=1.0,
            stddev=ops.cast(ops.sqrt(ops.cast(rate / (1 - rate), "float64")), "float32"),
            dtype="float32",
            seed=self.seed_generator,
        )
        return inputs * ops.cast(noise, inputs.dtype)
