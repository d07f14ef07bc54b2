"""Initial weights that suit an activation."""

import keras


def hidden_kernel(activation: str, seed: int | None = None) -> keras.initializers.Initializer:
    """Return the initializer of a hidden layer: LeCun normal for SELU, else Glorot uniform as in Keras.

    Source: Klambauer et al., "Self-Normalizing Neural Networks", NeurIPS 2017, arXiv 1706.02515: weights of
    variance 1 / (number of inputs) keep mean and variance through SELU.

    Args:
        activation: Name of the activation.
        seed: Seed; None takes the global random numbers.
    """
    if activation == "selu":
        return keras.initializers.LecunNormal(seed=seed)
    return keras.initializers.GlorotUniform(seed=seed)
