"""Runs in the user's process leave Keras and random numbers as they were; fails when a library changes."""

import random
from collections.abc import Iterator

import keras
import numpy as np
import pytest
import tensorflow as tf

from dropout_lab.training.own_state import own_state


@pytest.fixture
def user_settings() -> Iterator[None]:
    """Settings that no run would use."""
    keras.config.set_floatx("float64")
    keras.config.set_epsilon(1e-3)
    keras.config.set_image_data_format("channels_first")
    keras.config.set_dtype_policy("mixed_bfloat16")
    tf.config.run_functions_eagerly(True)
    yield
    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
    keras.config.set_image_data_format("channels_last")
    keras.config.set_dtype_policy("float32")
    tf.config.run_functions_eagerly(False)


def work() -> None:
    """Do to Keras whatever code may do."""
    keras.config.set_floatx("float16")
    keras.config.set_dtype_policy("mixed_float16")
    keras.utils.set_random_seed(5)
    keras.utils.clear_session()
    keras.layers.Dense(2).build((None, 2))
    tf.config.experimental.enable_op_determinism()
    tf.random.uniform(())


def seen() -> tuple[object, ...]:
    """What a user would see next."""
    layer = keras.layers.Dense(3)
    layer.build((None, 2))
    return (
        keras.config.floatx(),
        keras.config.epsilon(),
        keras.config.image_data_format(),
        keras.config.dtype_policy().name,
        tf.config.functions_run_eagerly(),
        layer.name,
        layer.get_weights()[0].tolist(),
        random.random(),
        np.random.rand(),  # noqa: NPY002
        float(tf.random.uniform(())),
        float(keras.random.uniform(())),
    )


@pytest.mark.parametrize("fails", [False, True])
def test_everything_is_as_it_was(user_settings: None, fails: bool) -> None:
    def after(with_work: bool) -> tuple[object, ...]:
        keras.utils.clear_session()
        keras.config.set_dtype_policy("mixed_bfloat16")
        keras.utils.set_random_seed(3)
        keras.layers.Dense(1), keras.random.uniform(()), tf.random.uniform(())
        if with_work:
            try:
                with own_state():
                    work()
                    if fails:
                        raise RuntimeError
            except RuntimeError:
                pass
        return seen()

    assert after(with_work=True) == after(with_work=False)


def test_inside_keras_is_as_imported(user_settings: None) -> None:
    keras.layers.Dense(1)
    with own_state():
        assert keras.layers.Dense(1).name == "dense"
        assert keras.config.dtype_policy().name == "float32"
        assert (keras.config.floatx(), keras.config.image_data_format()) == ("float32", "channels_last")
        assert not tf.config.functions_run_eagerly()


def test_unseeded_random_operations_work_afterwards() -> None:
    with own_state():
        tf.config.experimental.enable_op_determinism()
    assert tf.random.uniform(()) >= 0


def test_the_precision_follows_floatx_as_before() -> None:
    keras.utils.clear_session()
    with own_state():
        work()
    keras.config.set_floatx("float64")
    try:
        assert keras.layers.Dense(1).dtype_policy.name == "float64"
    finally:
        keras.config.set_floatx("float32")
        keras.config.set_dtype_policy("float32")
