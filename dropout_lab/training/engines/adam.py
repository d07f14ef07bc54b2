"""Adam's update with one operation per variable, in place of about 25."""

from collections.abc import Sequence

import keras
import tensorflow as tf


def can_fuse(
    optimizer: keras.optimizers.Optimizer,
    variables: Sequence[keras.Variable],
    gradients: Sequence[tf.Tensor | tf.IndexedSlices | None],
) -> bool:
    """Return whether `apply_adam` computes what `optimizer` would.

    Args:
        optimizer: Optimizer with the defaults of Keras except the learning rate.
        variables: Trainable variables of the model.
        gradients: Gradient by each; rows of embeddings are sparse, and an unused variable has none.
    """
    return type(optimizer) is keras.optimizers.Adam and all(
        isinstance(gradient, tf.Tensor) and variable.constraint is None and variable.dtype == "float32"
        for variable, gradient in zip(variables, gradients, strict=True)
    )


def apply_adam(
    adam: keras.optimizers.Adam, weights: Sequence[tf.Variable], gradients: Sequence[tf.Tensor]
) -> None:
    """Update weights and moments as Adam of Keras does: Kingma and Ba (2015), before section 2.1.

    With t the number of the update from 1: m += (1 - beta_1)(g - m), v += (1 - beta_2)(g**2 - v),
    w -= learning_rate * sqrt(1 - beta_2**t) / (1 - beta_1**t) * m / (sqrt(v) + epsilon).

    Args:
        adam: Built optimizer, whose own moments are updated.
        weights: Values of the variables that it was built for, in their order.
        gradients: Gradient by each.
    """
    t = tf.cast(adam.iterations.value, tf.float32) + 1
    beta1_power, beta2_power = tf.pow(adam.beta_1, t), tf.pow(adam.beta_2, t)
    for weight, m, v, gradient in zip(weights, *_moments(adam), gradients, strict=True):
        tf.raw_ops.ResourceApplyAdam(
            var=weight.handle,
            m=m.value.handle,
            v=v.value.handle,
            beta1_power=beta1_power,
            beta2_power=beta2_power,
            lr=adam.learning_rate.value,
            beta1=adam.beta_1,
            beta2=adam.beta_2,
            epsilon=adam.epsilon,
            grad=gradient,
        )
    adam.iterations.value.assign_add(1)


def _moments(adam: keras.optimizers.Adam) -> tuple[list[keras.Variable], list[keras.Variable]]:
    """Return the first and the second moments, which Keras keeps in private attributes."""
    return adam._momentums, adam._velocities
