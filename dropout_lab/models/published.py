"""The published network, layer for layer, with a seed for every random choice from the layer's name."""

import keras

from dropout_lab.models.image_inputs import require_images
from dropout_lab.models.initializers import hidden_kernel
from dropout_lab.models.normalization import activated
from dropout_lab.seeds import derive_seed
from dropout_lab.spec import ModelSpec

IMAGE_SHAPE = (28, 28, 1)
NUM_CLASSES = 10


def build_model(
    spec: ModelSpec,
    run_seed: int,
    input_shape: tuple[int, ...] = IMAGE_SHAPE,
    num_classes: int = NUM_CLASSES,
) -> keras.Sequential:
    """Build the network of `spec`, with stock Keras layers only.

    In stock Keras the weights after the first Dropout depend on its rate, because layers without a seed
    share one stream (seen in Keras 3.15). Here each initializer and each Dropout has its own seed, so that
    all conditions at one seed start from the same weights.

    Args:
        spec: Rates, filters, units and the order of dropout and pooling.
        run_seed: Seed of the run.
        input_shape: Height, width and channels of the images.
        num_classes: Number of classes.

    Returns:
        A built model, from images (batch, *input_shape) to class probabilities (batch, num_classes).

    Raises:
        UsageError: If the inputs are not images of at least 4 x 4 pixels.
    """
    require_images(input_shape, "published", hint="Use --set model.network=mlp.")
    rates = spec.rates

    def dropout(name: str, rate: float) -> keras.layers.Layer:
        # In bfloat16 Keras compares numbers of 8 bits with the rate, and drops 0.306 for 0.3 (Keras 3.15).
        seed = derive_seed(run_seed, "mask", name)
        return keras.layers.Dropout(rate, seed=seed, dtype="float32", name=name)

    def kernel(name: str, activation: str = spec.activation) -> keras.initializers.Initializer:
        return hidden_kernel(activation, derive_seed(run_seed, "init", name))

    def convolution(suffix: str, filters: int, rate: float) -> list[keras.layers.Layer]:
        name = f"conv2d{suffix}"
        pooling = keras.layers.MaxPooling2D(name=f"max_pooling2d{suffix}")
        drop = dropout(f"dropout{suffix}", rate)
        layer = keras.layers.Conv2D(
            filters, 3, activation=spec.activation, kernel_initializer=kernel(name), name=name
        )
        return [
            keras.layers.ZeroPadding2D(name=f"zero_padding2d{suffix}"),
            *activated(layer, normalize=spec.batch_normalization),
            *([drop, pooling] if spec.dropout_position == "before_pooling" else [pooling, drop]),
        ]

    hidden = keras.layers.Dense(
        spec.hidden_units, activation=spec.activation, kernel_initializer=kernel("dense"), name="dense"
    )
    return keras.Sequential(
        [
            keras.Input(input_shape, name="images"),
            *(dropout("images_dropout", rates[site]) for site in rates if site == "images"),
            *convolution("", spec.filters[0], rates["conv1"]),
            *convolution("_1", spec.filters[1], rates["conv2"]),
            keras.layers.Flatten(name="flatten"),
            *activated(hidden, normalize=spec.batch_normalization),
            dropout("dropout_2", rates["dense"]),
            # Probabilities stay in float32 under mixed precision: their logarithm is the loss.
            keras.layers.Dense(
                num_classes,
                activation="softmax",
                kernel_initializer=kernel("dense_1", "softmax"),
                dtype="float32",
                name="dense_1",
            ),
        ],
        name="dropout_network",
    )
