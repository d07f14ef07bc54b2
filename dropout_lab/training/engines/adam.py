"""Adam's update with one operation per variable, in place of about 25."""

from collections.abc import Sequence
from typing import NamedTuple

import keras
import tensorflow as tf


class AdamState(NamedTuple):
    """The variables that an update changes or reads: those of the model and of its optimizer themselves.

    Attributes:
        weights: Trainable variables.
        first, second: First and second moments of each.
        iterations: Number of updates so far.
        learning_rate: Learning rate.
    """

    weights: list[tf.Variable]
    first: list[tf.Variable]
    second: list[tf.Variable]
    iterations: tf.Variable
    learning_rate: tf.Variable

    @classmethod
    def of(cls, adam: keras.optimizers.Adam, variables: Sequence[keras.Variable]) -> "AdamState":
        """Return the state of `adam`, which was built for the trainable `variables`."""
        return cls(
            [variable.value for variable in variables],
            # Keras keeps the moments in private attributes.
            [moment.value for moment in adam._momentums],
            [moment.value for moment in adam._velocities],
            adam.iterations.value,
            adam.learning_rate.value,
        )


class AdamConstants(NamedTuple):
    """Constants of Adam, which are compiled in."""

    beta_1: float
    beta_2: float
    epsilon: float

    @classmethod
    def of(cls, adam: keras.optimizers.Adam) -> "AdamConstants":
        """Return those of `adam`."""
        return cls(adam.beta_1, adam.beta_2, adam.epsilon)


def can_fuse(
    optimizer: keras.optimizers.Optimizer,
    variables: Sequence[keras.Variable],
    gradients: Sequence[tf.Tensor | tf.IndexedSlices | None],
) -> bool:
    """Return whether `apply_adam` computes what `optimizer` would.

    Args:
        optimizer: Optimizer with the defaults of Keras except the learning rate and weight decay.
        variables: Trainable variables of the model.
        gradients: Gradient by each; rows of embeddings are sparse, and an unused variable has none.
    """
    is_plain = type(optimizer) is keras.optimizers.Adam and optimizer.weight_decay is None
    return is_plain and all(
        isinstance(gradient, tf.Tensor) and variable.constraint is None and variable.dtype == "float32"
        for variable, gradient in zip(variables, gradients, strict=True)
    )


def apply_adam(state: AdamState, constants: AdamConstants, gradients: Sequence[tf.Tensor]) -> None:
    """Update weights and moments as Adam of Keras does: Kingma and Ba (2015), before section 2.1.

    With t the number of the update from 1: m += (1 - beta_1)(g - m), v += (1 - beta_2)(g**2 - v),
    w -= learning_rate * sqrt(1 - beta_2**t) / (1 - beta_1**t) * m / (sqrt(v) + epsilon).

    Args:
        state: Variables to update.
        constants: Constants of the optimizer.
        gradients: Gradient by each of the weights.
    """
    t = tf.cast(state.iterations, tf.float32) + 1
    beta1_power, beta2_power = tf.pow(constants.beta_1, t), tf.pow(constants.beta_2, t)
    for weight, m, v, gradient in zip(state.weights, state.first, state.second, gradients, strict=True):
        tf.raw_ops.ResourceApplyAdam(
            var=weight.handle,
            m=m.handle,
            v=v.handle,
            beta1_power=beta1_power,
            beta2_power=beta2_power,
            lr=state.learning_rate,
            beta1=constants.beta_1,
            beta2=constants.beta_2,
            epsilon=constants.epsilon,
            grad=gradient,
        )
    state.iterations.assign_add(1)
