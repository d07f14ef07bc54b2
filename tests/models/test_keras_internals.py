"""Private parts of Keras and TensorFlow still are what they were; each test fails if one has moved."""

import keras
import tensorflow as tf

from dropout_lab.models.keras_internals import add_seed_generator, seed_generators, seeded, sublayers


def test_parts_and_random_numbers_of_a_layer_are_found() -> None:
    layer = keras.layers.Bidirectional(keras.layers.LSTM(2, name="lstm"))
    layer.build((None, 3, 4))
    assert {part.name for part in sublayers(layer)} == {"forward_lstm", "backward_lstm"}
    assert len(seed_generators(keras.layers.Dropout(0.5))) == 1
    assert seed_generators(keras.layers.Dense(1)) == []


def test_a_built_layer_gets_a_source_of_random_numbers() -> None:
    layer = keras.layers.Dropout(0.0)
    add_seed_generator(layer, "seed_generator")
    assert len(seed_generators(layer)) == 1
    assert len(layer.variables) == 1


def test_a_seed_decides_names_and_random_numbers_for_a_while() -> None:
    def drawn() -> tuple[str, float, float]:
        name = keras.layers.Dense(1).name
        return name, float(keras.random.uniform(())), float(tf.random.uniform(()))

    with seeded(1):
        first = drawn()
    with seeded(1):
        assert drawn() == first
    with seeded(2):
        assert drawn()[1:] != first[1:]
    assert first[0] == "dense"
