"""LeNet-5, with dropout after each pooling and each hidden dense layer."""

import functools

import keras

from dropout_lab.models.image_inputs import require_images
from dropout_lab.models.normalization import activated

SMALLEST = 14
"""Pixels of a side from which the second convolution is not padded, as published for 28."""


def build_lenet5(
    input_shape: tuple[int, ...], num_classes: int, *, batch_normalization: bool = False
) -> keras.Model:
    """Build LeNet-5 with hyperbolic tangents and average pooling, and with softmax as its output.

    For images of 28 x 28 x 1 it has the 61,706 parameters of LeCun et al. (1998), "Gradient-Based Learning
    Applied to Document Recognition", Proceedings of the IEEE 86, with full connections in the second
    convolution. Both convolutions are padded if images are too small for the published one.

    Args:
        input_shape: Height, width and channels.
        num_classes: Number of classes.
        batch_normalization: Whether the sums of each hidden layer are normalized.

    Returns:
        A model from images (batch, *input_shape) to probabilities (batch, num_classes).

    Raises:
        UsageError: If the inputs are not images of at least 4 x 4 pixels.
    """
    require_images(input_shape, "lenet5")
    layers = keras.layers
    hidden = functools.partial(activated, normalize=batch_normalization)
    second = "valid" if min(input_shape[:2]) >= SMALLEST else "same"
    return keras.Sequential(
        [
            keras.Input(input_shape),
            *hidden(layers.Conv2D(6, 5, activation="tanh", padding="same", name="conv2d_1")),
            layers.AveragePooling2D(2, name="pooling_1"),
            layers.Dropout(0.0, name="conv1"),
            *hidden(layers.Conv2D(16, 5, activation="tanh", padding=second, name="conv2d_2")),
            layers.AveragePooling2D(2, name="pooling_2"),
            layers.Dropout(0.0, name="conv2"),
            layers.Flatten(name="flatten"),
            *hidden(layers.Dense(120, activation="tanh", name="dense_1")),
            layers.Dropout(0.0, name="dense1"),
            *hidden(layers.Dense(84, activation="tanh", name="dense_2")),
            layers.Dropout(0.0, name="dense2"),
            # Probabilities stay in float32 under mixed precision: their logarithm is the loss.
            layers.Dense(num_classes, activation="softmax", dtype="float32", name="classes"),
        ],
        name="lenet5",
    )
