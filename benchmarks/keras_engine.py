"""How long a training step of Keras models takes: this project's engine of Keras layers against `fit`.

    python benchmarks/keras_engine.py                     # all models, about 5 minutes on a quiet machine
    python benchmarks/keras_engine.py mlp --rounds 20
    python benchmarks/keras_engine.py --write             # and into RESULTS.md

Both train the same network on the same examples in one process. In each round both take the same number of
steps, one after the other, so that what disturbs the machine disturbs both; ratios are taken within a round,
and their median and quartiles reported, by the clock and by the time of the processors.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from results import machine, markdown_table, write_section


@dataclass(frozen=True)
class Case:
    """A network of the spec, what it is trained on, and for how many steps a round."""

    label: str
    network: dict[str, object]
    input_shape: tuple[int, ...]
    batch_size: int
    steps: int


CASES = {
    "published": Case("published network, 28 x 28", {"dropout": 0.2}, (28, 28, 1), 200, 5),
    "mlp": Case("MLP of 2 x 1024 units, 8 x 8 digits", {"network": "mlp", "dropout": 0.5}, (8, 8, 1), 32, 44),
    "mobilenet": Case(
        "MobileNetV2, 32 x 32 in color", {"network": "keras.applications:MobileNetV2"}, (32, 32, 3), 32, 5
    ),
}
NUM_CLASSES = 10


def random_examples(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """Return pixels and labels for a round; their content does not bear on the time."""
    random = np.random.default_rng(0)
    size = case.batch_size * case.steps
    return random.integers(0, 256, (size, *case.input_shape), np.uint8), random.integers(0, NUM_CLASSES, size)


def engine_steps(case: Case, precision: str = "float32") -> Callable[[], None]:
    """Return what trains the network of `case` for a round with the engine, in `precision`."""
    import keras

    from dropout_lab.data.scaling import UNIT_PIXELS
    from dropout_lab.models.network import build_network
    from dropout_lab.spec import ModelSpec, TrainingSpec
    from dropout_lab.training.engines.keras_engine import KerasEngine
    from dropout_lab.training.loop import STEPS_A_CALL
    from dropout_lab.training.optimizers import build_optimizer

    keras.config.set_dtype_policy(precision)
    pixels, labels = random_examples(case)
    network = build_network(ModelSpec.model_validate(case.network), case.input_shape, NUM_CLASSES, 0)
    optimizer = build_optimizer(TrainingSpec(precision=precision), network.model)
    engine = KerasEngine(network, optimizer, pixels, labels, UNIT_PIXELS)
    random = np.random.default_rng(0)

    def run() -> None:
        batches = random.permutation(len(labels)).reshape(case.steps, case.batch_size)
        for first in range(0, case.steps, STEPS_A_CALL):
            engine.run(batches[first : first + STEPS_A_CALL], first)

    return run


def fit_steps(case: Case) -> Callable[[], None]:
    """Return what trains the network of `case` for a round with `fit`."""
    import keras

    from dropout_lab.models.network import build_network
    from dropout_lab.spec import ModelSpec

    pixels, labels = random_examples(case)
    scaled = pixels.astype(np.float32) / 255
    model = build_network(ModelSpec.model_validate(case.network), case.input_shape, NUM_CLASSES, 0).model
    model.compile(keras.optimizers.Adam(), "sparse_categorical_crossentropy", metrics=["accuracy"])

    def fit() -> None:
        model.fit(scaled, labels, batch_size=case.batch_size, verbose=0)

    return fit


def seconds(action: Callable[[], None]) -> tuple[float, float]:
    """Return how long `action` takes, by the clock and in processor time."""
    clock, cpu = time.perf_counter(), time.process_time()
    action()
    return time.perf_counter() - clock, time.process_time() - cpu


def paired(
    case: Case, first: Callable[[], None], second: Callable[[], None], num_rounds: int
) -> tuple[str, ...]:
    """Return a row: the milliseconds a step of both, and how many times faster `second` is than `first`."""
    for action in (first, second, first, second):
        action()  # traced, compiled and warm
    times = np.array([[seconds(first), seconds(second)] for _ in range(num_rounds)])
    milliseconds = np.median(times[..., 0], axis=0) / case.steps * 1000
    ratios = np.percentile(times[:, 0] / times[:, 1], [25, 50, 75], axis=0)
    return (
        case.label,
        *(f"{value:.1f}" for value in milliseconds),
        *(f"{middle:.2f} ({low:.2f} to {high:.2f})" for low, middle, high in ratios.T),
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cases", nargs="*", choices=[*CASES, []], help="models (default: all)")
    parser.add_argument("--rounds", type=int, default=15, help="rounds (default 15)")
    parser.add_argument("--write", action="store_true", help="write the result into RESULTS.md")
    options = parser.parse_args()

    from dropout_lab.libraries import set_variables

    set_variables()  # as `dropout-lab run` does, before TensorFlow is imported
    rows = [
        paired(case, fit_steps(case), engine_steps(case), options.rounds)
        for case in (CASES[name] for name in options.cases or CASES)
    ]
    header = ("network", "fit, ms a step", "engine, ms a step", "times faster, clock", "by CPU time")
    text = markdown_table(header, rows) + f"\n{machine()}\n"
    print(text)
    if options.write:
        write_section("Keras layers", text)


if __name__ == "__main__":
    main()
