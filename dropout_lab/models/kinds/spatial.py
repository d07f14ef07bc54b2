"""Spatial dropout: whole feature maps."""

from typing import Any

import keras
from keras import ops

from dropout_lab.models.kinds.base import DropoutLayer


@keras.saving.register_keras_serializable("dropout_lab")
class SpatialDropout(DropoutLayer):
    """Dropout of whole feature maps: each channel of an example is 0 with probability `rate`.

    What is kept is divided by 1 - rate. Equal seeds give the masks of `keras.layers.SpatialDropout1D`, 2D
    and 3D. Use it behind convolutions, where neighboring pixels are so alike that dropping one removes no
    information. With few channels the noise is large: start with a lower rate than for single units.

    Args:
        rate: Fraction of the feature maps to drop, in [0, 1).
        seed: Seed of the masks. None draws one.
        data_format: ``"channels_last"`` or ``"channels_first"``; by default that of the Keras configuration.
            Sequences have their channels last in either.
        **kwargs: See `RatedLayer`.

    Call arguments:
        inputs: (batch, steps, channels), (batch, height, width, channels) or the same with a depth.
        training: Whether to drop; else the inputs are returned.

    Returns:
        A tensor like `inputs`, with their mean.

    Raises:
        ValueError: If `rate` or `data_format` is invalid, or the inputs have no feature maps.

    Reference:
        Tompson et al., "Efficient Object Localization Using Convolutional Networks", CVPR 2015,
        arXiv 1411.4280, section 3.2.
    """

    def __init__(
        self, rate: float, seed: int | None = None, *, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(rate, seed, **kwargs)
        if data_format not in (None, "channels_last", "channels_first"):
            raise ValueError(
                "Invalid value received for argument `data_format`. Expected 'channels_last' or "
                f"'channels_first'. Received: data_format={data_format!r}"
            )
        self.data_format = data_format or keras.config.image_data_format()
        self.input_spec = keras.InputSpec(min_ndim=3, max_ndim=5)

    def drop(self, inputs: Any) -> Any:
        """See `DropoutLayer.drop`."""
        rank = len(inputs.shape)
        channels = 1 if self.data_format == "channels_first" and rank > 3 else rank - 1
        shape = ops.shape(inputs)
        return self.drop_and_scale(
            inputs, tuple(shape[axis] if axis in (0, channels) else 1 for axis in range(rank))
        )

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "data_format": self.data_format}
