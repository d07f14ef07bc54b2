"""The network of this study: a small convolutional network for images."""

import keras
from keras import layers


def build(input_shape, num_classes):
    """Return a Keras classifier. Its Dropout layers are the sites whose rates the conditions change."""
    return keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dropout(0.25, name="features_dropout"),
            layers.Dense(64, activation="relu"),
            layers.Dropout(0.5, name="dense_dropout"),
            layers.Dense(num_classes, activation="softmax"),
        ]
    )
