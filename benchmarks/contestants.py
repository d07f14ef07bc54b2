"""What one training step is for each contestant of `step.py`, each run in a process of its own.

python benchmarks/contestants.py '{"label": "fast", "kind": "fast"}'    # then numbers of steps on stdin
"""

import contextlib
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

PUBLISHED = (0.2, 0.2, 0.5)


@dataclass(frozen=True)
class Contestant:
    """Who runs, with which rates, oneDNN flag, precision, batch size, multiple of the width, and data."""

    label: str
    kind: str
    rates: tuple[float, float, float] = PUBLISHED
    onednn: bool = True
    precision: str = "float32"
    batch_size: int = 200
    width: int = 1
    num_images: int = 4000

    @property
    def sizes(self) -> tuple[int, int, int]:
        return 32 * self.width, 64 * self.width, 128 * self.width


def random_data(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return `size` images and labels; their content does not bear on the time."""
    random = np.random.default_rng(0)
    return random.integers(0, 256, (size, 28, 28, 1), np.uint8), random.integers(0, 10, size, np.uint8)


def shuffled(one: Contestant, num_steps: int) -> np.ndarray:
    """Return which images each step takes, (num_steps, batch size): any of them, as in training."""
    return np.random.default_rng(0).integers(0, one.num_images, (num_steps, one.batch_size))


def keras_steps(one: Contestant) -> Callable[[int], tuple[float, float]]:
    """The published script's layers and optimizer, `fit` on arrays; timed from the end of its first step."""
    import keras
    from keras import layers

    filters1, filters2, units = one.sizes
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.ZeroPadding2D(1),
            layers.Conv2D(filters1, 3, activation="relu"),
            layers.Dropout(one.rates[0]),
            layers.MaxPooling2D(2),
            layers.ZeroPadding2D(1),
            layers.Conv2D(filters2, 3, activation="relu"),
            layers.Dropout(one.rates[1]),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(units, activation="relu"),
            layers.Dropout(one.rates[2]),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    images, labels = random_data(one.num_images)
    images = (images / 255.0).astype(np.float32)
    times: list[tuple[float, float]] = []

    class Timer(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: object = None) -> None:  # noqa: ARG002
            times.append((time.perf_counter(), time.process_time()))

    def run(num_steps: int) -> tuple[float, float]:
        times.clear()
        chosen = shuffled(one, num_steps + 1).ravel()
        model.fit(images[chosen], labels[chosen], one.batch_size, verbose=0, callbacks=[Timer()])
        return times[-1][0] - times[0][0], times[-1][1] - times[0][1]

    return run


def timed(action: Callable[[int], object]) -> Callable[[int], tuple[float, float]]:
    def run(num_steps: int) -> tuple[float, float]:
        wall, cpu = time.perf_counter(), time.process_time()
        action(num_steps)
        return time.perf_counter() - wall, time.process_time() - cpu

    return run


def engine_steps(one: Contestant) -> Callable[[int], tuple[float, float]]:
    from dropout_lab.libraries import set_variables

    set_variables()  # as `dropout-lab run` does, before TensorFlow is imported
    from dropout_lab.data.scaling import UNIT_PIXELS
    from dropout_lab.models.inspection import dropout_layers
    from dropout_lab.models.network import Network
    from dropout_lab.models.published import build_model
    from dropout_lab.spec import ModelSpec, TrainingSpec
    from dropout_lab.training.devices import configure_keras
    from dropout_lab.training.engines.fast import FastEngine
    from dropout_lab.training.engines.keras_engine import KerasEngine
    from dropout_lab.training.optimizers import build_optimizer
    from dropout_lab.training.processor import slow_bfloat16
    from dropout_lab.training.rates import SiteRates

    if one.precision == "mixed_bfloat16" and (reason := slow_bfloat16()):
        sys.exit(f"Not measured: it {reason}.")
    configure_keras(one.precision)
    *filters, units = one.sizes
    rates = dict(zip(("conv1", "conv2", "dense"), one.rates, strict=True))
    spec = ModelSpec.model_validate({"dropout": rates, "filters": tuple(filters), "hidden_units": units})
    model = build_model(spec, 0)
    optimizer = build_optimizer(TrainingSpec(), model)
    images, labels = random_data(one.num_images)
    if one.kind == "fast":
        site_rates = SiteRates(full={layer.name: layer.rate for layer in dropout_layers(model)})
        engine = FastEngine(model, optimizer, spec, images, labels, 0, one.batch_size, site_rates)
    else:
        engine = KerasEngine(Network(model=model, sites=()), optimizer, images, labels, UNIT_PIXELS)
    steps_done = 0

    def action(num_steps: int) -> None:
        nonlocal steps_done
        engine.run(shuffled(one, num_steps), steps_done)
        steps_done += num_steps

    return timed(action)


def torch_steps(one: Contestant) -> Callable[[int], tuple[float, float]]:
    import torch
    from torch import nn

    filters1, filters2, units = one.sizes
    model = nn.Sequential(
        nn.Conv2d(1, filters1, 3, padding=1),
        nn.ReLU(),
        nn.Dropout(one.rates[0]),
        nn.MaxPool2d(2),
        nn.Conv2d(filters1, filters2, 3, padding=1),
        nn.ReLU(),
        nn.Dropout(one.rates[1]),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(49 * filters2, units),
        nn.ReLU(),
        nn.Dropout(one.rates[2]),
        nn.Linear(units, 10),
    ).to(memory_format=torch.channels_last)
    optimizer, loss = torch.optim.Adam(model.parameters()), nn.CrossEntropyLoss()
    images, labels = random_data(one.num_images)
    inputs = torch.tensor(images.transpose(0, 3, 1, 2) / 255.0, dtype=torch.float32)
    targets = torch.tensor(labels).long()

    def action(num_steps: int) -> None:
        for chosen in torch.tensor(shuffled(one, num_steps)):
            optimizer.zero_grad()
            loss(model(inputs[chosen]), targets[chosen]).backward()
            optimizer.step()

    return timed(action)


def matmul_steps(one: Contestant) -> Callable[[int], tuple[float, float]]:
    """The step's multiplications alone: convolutions as products over windows that are there already.

    The first convolution's, with 9 values a window, are given the second's shape: as they are they would
    be bound by memory, and the floor higher.
    """
    import tensorflow as tf

    filters1, filters2, units = one.sizes
    inner = 9 * filters1

    def products(
        num_rows: int, num_inner: int, num_columns: int, names: str
    ) -> list[Callable[[], tf.Tensor]]:
        x, w = tf.random.normal((num_rows, num_inner)), tf.random.normal((num_inner, num_columns))
        y = tf.random.normal((num_rows, num_columns))
        kinds = {
            "forward": lambda: x @ w,
            "input": lambda: tf.matmul(y, w, transpose_b=True),
            "kernel": lambda: tf.matmul(x, y, transpose_a=True),
        }
        return [kinds[name] for name in names.split()]

    rows1 = one.batch_size * 784 * 9 // inner
    work = [
        *products(rows1, inner, filters1, "forward kernel"),
        *products(one.batch_size * 196, inner, filters2, "forward input kernel"),
        *products(one.batch_size, 49 * filters2, units, "forward input kernel"),
        *products(one.batch_size, units, 10, "forward input kernel"),
    ]
    step = tf.function(lambda: [product() for product in work], autograph=False)
    return timed(lambda num_steps: [step() for _ in range(num_steps)])


def serve(one: Contestant) -> None:
    """Do as many steps as each line of stdin says; answer with their seconds by the clock and of CPU."""
    kinds = {"keras": keras_steps, "torch": torch_steps, "matmul": matmul_steps}
    with contextlib.redirect_stdout(sys.stderr):
        run = kinds.get(one.kind, engine_steps)(one)
    for line in sys.stdin:
        with contextlib.redirect_stdout(sys.stderr):
            seconds = run(int(line))
        print(json.dumps(seconds), flush=True)


if __name__ == "__main__":
    serve(Contestant(**json.loads(sys.argv[1])))
