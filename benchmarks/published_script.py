"""The published protocol as one writes it without this project: stock Keras, autologged.

    python benchmarks/published_script.py 10        # epochs; rates 0.2, 0.2, 0.5

The peer of `whole_run.py`. Network and settings are those of the README of kiyan-rezaee/Drop-out.
"""

import sys

import mlflow
import numpy as np
from keras import Input, Sequential
from keras.layers import Conv2D, Dense, Dropout, Flatten, MaxPooling2D, ZeroPadding2D

from dropout_lab.data.selection import load_data
from dropout_lab.spec import DataSpec


def main(num_epochs: int) -> None:
    data = load_data(DataSpec())
    train, test = (images.astype(np.float32) / 255 for images in (data.train_inputs, data.test_inputs))
    model = Sequential(
        [
            Input((28, 28, 1)),
            ZeroPadding2D(),
            Conv2D(32, 3, activation="relu"),
            Dropout(0.2),
            MaxPooling2D(),
            ZeroPadding2D(),
            Conv2D(64, 3, activation="relu"),
            Dropout(0.2),
            MaxPooling2D(),
            Flatten(),
            Dense(128, activation="relu"),
            Dropout(0.5),
            Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    mlflow.keras.autolog()
    with mlflow.start_run():
        model.fit(
            train,
            data.train_labels,
            batch_size=200,
            epochs=num_epochs,
            validation_data=(test, data.test_labels),
            verbose=0,
        )


if __name__ == "__main__":
    main(int(sys.argv[1]))
