"""What a network sees of stored values."""

import tensorflow as tf

from dropout_lab.data.scaling import Scaling


def scale_inputs(values: tf.Tensor, scaling: Scaling) -> tf.Tensor:
    """Return stored `values`, (n, ...), as the network sees them: float32, or integers that are kept."""
    if not scaling.to_float:
        return values
    values = tf.cast(values, tf.float32)
    if not (isinstance(scaling.shift, float) and scaling.shift == 0.0):
        values -= scaling.shift
    return values * scaling.factor
