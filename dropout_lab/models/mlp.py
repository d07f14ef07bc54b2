"""A multilayer perceptron with dropout on its input and after each hidden layer."""

from collections.abc import Sequence

import keras

from dropout_lab.models.initializers import hidden_kernel
from dropout_lab.models.normalization import activated


def build_mlp(
    input_shape: tuple[int, ...],
    num_classes: int,
    hidden: Sequence[int],
    *,
    activation: str = "relu",
    batch_normalization: bool = False,
) -> keras.Model:
    """Build a multilayer perceptron.

    Its dropout sites are those of Srivastava et al. (2014), "Dropout: A Simple Way to Prevent Neural Networks
    from Overfitting", JMLR 15: the input, and each hidden layer.

    Args:
        input_shape: Shape of one example; it is flattened.
        num_classes: Number of classes.
        hidden: Units of each hidden layer.
        activation: Name of the activation of hidden layers.
        batch_normalization: Whether the sums of each hidden layer are normalized.

    Returns:
        A model from examples (batch, *input_shape) to probabilities (batch, num_classes).
    """
    layers = [keras.Input(input_shape), keras.layers.Flatten(), keras.layers.Dropout(0.0, name="input")]
    for number, units in enumerate(hidden, start=1):
        layers += [
            *activated(
                keras.layers.Dense(
                    units,
                    activation=activation,
                    kernel_initializer=hidden_kernel(activation),
                    name=f"dense_{number}",
                ),
                normalize=batch_normalization,
            ),
            keras.layers.Dropout(0.0, name=f"hidden_{number}"),
        ]
    # Probabilities stay in float32 under mixed precision: their logarithm is the loss.
    layers += [keras.layers.Dense(num_classes, activation="softmax", dtype="float32", name="classes")]
    return keras.Sequential(layers, name="mlp")
