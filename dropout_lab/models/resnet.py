"""A small residual network with dropout at the end of each branch and before the classes."""

import keras

from dropout_lab.models.image_inputs import require_images
from dropout_lab.models.normalization import activated

FILTERS = (16, 32)
"""Filters of the first and the second stage."""
HALVED = 14
"""Pixels of a side from which the first convolution halves images."""


def build_resnet(
    input_shape: tuple[int, ...],
    num_classes: int,
    *,
    blocks: int = 2,
    activation: str = "relu",
    batch_normalization: bool = False,
) -> keras.Model:
    """Build a residual network of two stages; the second one has half the pixels and twice the filters.

    Blocks are those of He et al. (2016), "Deep Residual Learning for Image Recognition", CVPR, Figure 2: two
    convolutions that are added to their input, which a 1 x 1 convolution projects where shapes differ.
    Dropout at the end of a branch, before the sum, is where stochastic depth drops it. With two blocks per
    stage and 28 x 28 x 1 inputs the network has 42,698 parameters.

    Args:
        input_shape: Height, width and channels.
        num_classes: Number of classes.
        blocks: Blocks per stage.
        activation: Name of the activation of hidden layers.
        batch_normalization: Whether the outputs of each convolution are normalized.

    Returns:
        A model from images (batch, *input_shape) to probabilities (batch, num_classes).

    Raises:
        UsageError: If the inputs are not images of at least 4 x 4 pixels.
    """
    require_images(input_shape, "resnet")
    layers = keras.layers
    # He et al. (2015), "Delving Deep into Rectifiers", ICCV: weights that keep the variance through ReLU.
    kernel = keras.initializers.LecunNormal if activation == "selu" else keras.initializers.HeNormal

    def convolved(
        values: keras.KerasTensor, name: str, filters: int, size: int, strides: int, after: str | None
    ) -> keras.KerasTensor:
        layer = layers.Conv2D(
            filters,
            size,
            strides,
            padding="same",
            activation=after,
            kernel_initializer=kernel(),
            name=name,
        )
        for one in activated(layer, normalize=batch_normalization):
            values = one(values)
        return values

    inputs = keras.Input(input_shape)
    stem = 2 if min(input_shape[:2]) >= HALVED else 1
    values = convolved(inputs, "stem", FILTERS[0], 3, stem, activation)
    for stage, filters in enumerate(FILTERS):
        for number in range(stage * blocks + 1, (stage + 1) * blocks + 1):
            name = f"block{number}"
            strides = 2 if stage and number == stage * blocks + 1 else 1
            branch = convolved(values, f"{name}_conv1", filters, 3, strides, activation)
            branch = convolved(branch, f"{name}_conv2", filters, 3, 1, None)
            branch = layers.Dropout(0.0, name=name)(branch)
            if strides > 1:
                values = convolved(values, f"{name}_shortcut", filters, 1, strides, None)
            values = layers.Add(name=f"{name}_sum")([branch, values])
            values = layers.Activation(activation, name=f"{name}_output")(values)
    values = layers.GlobalAveragePooling2D(name="pooling")(values)
    values = layers.Dropout(0.0, name="top")(values)
    # Probabilities stay in float32 under mixed precision: their logarithm is the loss.
    outputs = layers.Dense(num_classes, activation="softmax", dtype="float32", name="classes")(values)
    return keras.Model(inputs, outputs, name="resnet")
