"""A state of Keras and of random numbers for runs alone, in a process that belongs to the user."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras.src.backend.common import global_state
from tensorflow.python.eager import context
from tensorflow.python.framework import config as tensorflow_config

from dropout_lab.training.devices import configure_keras


@contextmanager
def own_state() -> Iterator[None]:
    """Inside this context, Keras is as freshly imported; after it, everything is as the user left it.

    That is: the settings of Keras, its names and seeds of this thread, and the random numbers of Python,
    NumPy and TensorFlow. Layers that the user builds afterwards get the names and weights that they would
    have had without the runs.

    Raises:
        UsageError: If the process imported Keras with another backend before.
    """
    settings = keras.config.floatx(), keras.config.epsilon(), keras.config.image_data_format()
    eagerly = tf.config.functions_run_eagerly()
    deterministic = tensorflow_config.is_op_determinism_enabled()
    of_this_thread = dict(_keras_state())
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 - the user may
    tensorflow = _tensorflow_seed()
    try:
        configure_keras("float32")
        _keras_state().clear()
        tf.config.run_functions_eagerly(False)
        yield
    finally:
        floatx, epsilon, image_data_format = settings
        keras.config.set_floatx(floatx)
        keras.config.set_epsilon(epsilon)
        keras.config.set_image_data_format(image_data_format)
        _keras_state().clear()
        _keras_state().update(of_this_thread)
        tf.config.run_functions_eagerly(eagerly)
        if not deterministic:
            tensorflow_config.disable_op_determinism()
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
        _restore_tensorflow_seed(*tensorflow)


def _keras_state() -> dict[str, Any]:
    """Return what Keras keeps for this thread: dtype policy, seeds, and numbers in names of layers."""
    state: dict[str, Any] = vars(global_state.GLOBAL_STATE_TRACKER)
    return state


def _tensorflow_seed() -> tuple[int | None, Any]:
    """Return the seed of TensorFlow and the state of the numbers that it has drawn with it since."""
    seed = context.global_seed()
    return seed, None if seed is None else context.context()._rng.getstate()


def _restore_tensorflow_seed(seed: int | None, state: Any) -> None:
    if seed != context.global_seed():
        context.set_global_seed(seed)
    if state is not None:
        context.context()._rng.setstate(state)
