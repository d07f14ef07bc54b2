"""Small networks of all kinds, as functions of a user's file."""

from pathlib import Path

import pytest

SOURCE = '''
import keras
from keras import layers


def squared_relu(values):
    return keras.ops.square(keras.ops.relu(values))


class Scale(layers.Layer):
    def __init__(self, factor=1.0, **options):
        super().__init__(**options)
        self.factor = factor

    def call(self, inputs):
        return inputs * self.factor

    def get_config(self):
        return super().get_config() | {"factor": self.factor}


class Block(layers.Layer):
    """A layer with dropout inside, of the kind that tutorials have: its rate is baked in."""

    def __init__(self, width, rate=0.1, **options):
        super().__init__(**options)
        self.width, self.rate = width, rate
        self.attention = layers.MultiHeadAttention(2, width, dropout=rate)
        self.norm = layers.LayerNormalization()
        self.drop = layers.Dropout(0.0)

    def call(self, inputs, training=False):
        return self.norm(inputs + self.drop(self.attention(inputs, inputs), training=training))

    def get_config(self):
        return super().get_config() | {"width": self.width, "rate": self.rate}


def cnn(input_shape, num_classes, filters=3):
    return keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Conv2D(filters, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.SpatialDropout2D(0.1, name="spatial"),
            layers.Flatten(),
            Scale(2.0),
            layers.GaussianDropout(0.2, name="noise"),
            layers.Dropout(0.4, name="top"),
            layers.Dense(num_classes),
        ]
    )


def lstm(input_shape, classes, units=4):
    inputs = keras.Input(input_shape, dtype="int32")
    hidden = layers.Embedding(10, 4)(inputs)
    hidden = layers.TimeDistributed(layers.Dropout(0.1, name="each"))(hidden)
    hidden = layers.Bidirectional(
        layers.LSTM(units, dropout=0.1, recurrent_dropout=0.2, return_sequences=True, name="lstm")
    )(hidden)
    hidden = layers.GRU(units, name="gru")(hidden)
    return keras.Model(inputs, layers.Dense(classes, activation="softmax")(hidden))


def transformer(input_shape, num_classes):
    inputs = keras.Input(input_shape)
    hidden = layers.Dense(4)(layers.Reshape((-1, 4))(inputs))
    for _ in range(2):
        hidden = Block(4)(hidden)
    hidden = layers.Dropout(0.3)(layers.GlobalAveragePooling1D()(hidden))
    return keras.Model(inputs, layers.Dense(num_classes, activation="softmax")(hidden))


def seeded_by_hand(input_shape, num_classes):
    same = keras.initializers.GlorotUniform(seed=1)
    return keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Dense(4, kernel_initializer=same),
            layers.Dense(4, kernel_initializer=same),
            layers.Dense(4, kernel_initializer=same),
            layers.Dense(num_classes, activation="softmax"),
        ]
    )


class Whole(keras.Model):
    """A model with layers of its own instead of a graph."""

    def __init__(self, num_classes, rate=0.2, **options):
        super().__init__(**options)
        self.num_classes, self.rate = num_classes, rate
        self.hidden = layers.Dense(4, activation="relu")
        self.drop = layers.Dropout(rate)
        self.classes = layers.Dense(num_classes, activation="softmax")

    def call(self, inputs, training=False):
        return self.classes(self.drop(self.hidden(inputs), training=training))

    def get_config(self):
        return super().get_config() | {"num_classes": self.num_classes, "rate": self.rate}


def whole(num_classes):
    return Whole(num_classes)


def nested(input_shape, num_classes):
    def part(name):
        return keras.Sequential(
            [keras.Input((4,)), layers.Dense(4), layers.Dropout(0.1, name="drop")], name=name
        )

    inputs = keras.Input(input_shape)
    return keras.Model(inputs, layers.Dense(num_classes)(part("second")(part("first")(inputs))))


def residual(input_shape, num_classes):
    """A residual block in a nested model, a layer of the user's, and dropout wherever it can be."""
    values = keras.Input((8, 8, 4))
    branch = layers.Conv2D(4, 3, padding="same")(values)
    branch = layers.Activation("relu")(layers.BatchNormalization()(branch))
    branch = layers.Dropout(0.2, name="branch")(branch)
    block = keras.Model(values, layers.Add()([values, branch]), name="block")
    images = keras.Input(input_shape)
    hidden = block(layers.Conv2D(4, 3, padding="same")(images))
    hidden = Scale(0.5)(layers.Flatten()(hidden))
    hidden = layers.Dropout(0.1, name="scaled")(hidden)
    hidden = layers.Dropout(0.3, name="top")(layers.Dense(6, activation="relu", name="hidden")(hidden))
    return keras.Model(images, layers.Dense(num_classes, activation="softmax")(hidden))


def with_own_activation(input_shape, num_classes):
    return keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Conv2D(4, 3, activation=squared_relu),
            layers.Dropout(0.2, name="conv"),
            layers.MaxPooling2D(2),
            layers.Reshape((-1, 4)),
            layers.LSTM(4, activation=squared_relu, dropout=0.1, name="lstm"),
            layers.Dense(6, activation=squared_relu),
            layers.Dropout(0.3, name="top"),
            layers.Dense(num_classes, activation="softmax"),
        ]
    )


def nothing(input_shape):
    return None


def failing():
    raise KeyError("missing")


def with_lambda(input_shape, num_classes):
    return keras.Sequential(
        [keras.Input(input_shape), layers.Lambda(lambda x: x * 2), layers.Dense(num_classes)]
    )


def one_unit(input_shape, num_classes):
    return keras.Sequential([keras.Input(input_shape), layers.Dense(1, activation="sigmoid")])


def sigmoids(input_shape, num_classes):
    return keras.Sequential([keras.Input(input_shape), layers.Dense(num_classes, activation="sigmoid")])


def images_out(input_shape, num_classes):
    return keras.Sequential([keras.Input(input_shape), layers.Conv2D(num_classes, 3)])


def two_inputs(input_shape, num_classes):
    inputs = [keras.Input(input_shape), keras.Input(input_shape)]
    return keras.Model(inputs, layers.Dense(num_classes)(layers.Add()(inputs)))


def softmax_layer(input_shape, num_classes):
    return keras.Sequential([keras.Input(input_shape), layers.Dense(num_classes), layers.Softmax()])


def softmax_layer_of_dense(input_shape, num_classes):
    last = layers.Dense(num_classes, activation=layers.Softmax())
    return keras.Sequential([keras.Input(input_shape), last])


def softmax_layer_of_activation(input_shape, num_classes):
    last = layers.Activation(layers.Softmax())
    return keras.Sequential([keras.Input(input_shape), layers.Dense(num_classes), last])


def leaky_layer_of_dense(input_shape, num_classes):
    last = layers.Dense(num_classes, activation=layers.LeakyReLU())
    return keras.Sequential([keras.Input(input_shape), last])


def softmax_op(input_shape, num_classes):
    inputs = keras.Input(input_shape)
    return keras.Model(inputs, keras.ops.softmax(layers.Dense(num_classes)(inputs)))


def normalized(input_shape, num_classes):
    inputs = keras.Input(input_shape)
    positive = keras.ops.exp(layers.Dense(num_classes)(inputs))
    return keras.Model(inputs, positive / keras.ops.sum(positive, axis=-1, keepdims=True))
'''


@pytest.fixture(scope="session")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's file with a function per network."""
    path = tmp_path_factory.mktemp("user") / "own_networks.py"
    path.write_text(SOURCE)
    return path
