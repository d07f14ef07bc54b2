"""Settings of Keras and random numbers for runs alone, in a process that belongs to the user."""

from collections.abc import Iterator
from contextlib import contextmanager

import keras
import tensorflow as tf

from dropout_lab.models.keras_internals import determinism_restored, seeded
from dropout_lab.training.devices import configure_keras


@contextmanager
def own_state() -> Iterator[None]:
    """Inside this context, Keras is as freshly imported; after it, everything is as the user left it.

    That is: the settings of Keras, its automatic names, and the random numbers of Python, NumPy, TensorFlow
    and Keras. Layers that the user builds afterwards get the names and weights that they would have had
    without the runs.

    Raises:
        UsageError: If the process imported Keras with another backend before.
    """
    config = keras.config
    floatx, epsilon, image_data_format = config.floatx(), config.epsilon(), config.image_data_format()
    eagerly = tf.config.functions_run_eagerly()
    try:
        with seeded(0), determinism_restored():
            configure_keras("float32")
            tf.config.run_functions_eagerly(False)
            yield
    finally:
        config.set_floatx(floatx)
        config.set_epsilon(epsilon)
        config.set_image_data_format(image_data_format)
        tf.config.run_functions_eagerly(eagerly)
