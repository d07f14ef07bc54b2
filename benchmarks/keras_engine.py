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


def contestants(case: Case) -> tuple[Callable[[], None], Callable[[], None]]:
    """Return one round of `fit`, and one of the engine."""
    import keras

    from dropout_lab.data.scaling import UNIT_PIXELS
    from dropout_lab.models.network import build_network
    from dropout_lab.spec import ModelSpec, TrainingSpec
    from dropout_lab.training.engines.keras_engine import KerasEngine
    from dropout_lab.training.loop import STEPS_A_CALL
    from dropout_lab.training.optimizers import build_optimizer

    random = np.random.default_rng(0)
    size = case.batch_size * case.steps
    pixels = random.integers(0, 256, (size, *case.input_shape), np.uint8)
    labels = random.integers(0, NUM_CLASSES, size)
    spec = ModelSpec.model_validate(case.network)
    ours, theirs = (build_network(spec, case.input_shape, NUM_CLASSES, 0) for _ in range(2))
    engine = KerasEngine(ours, build_optimizer(TrainingSpec(), ours.model), pixels, labels, UNIT_PIXELS)
    theirs.model.compile(keras.optimizers.Adam(), "sparse_categorical_crossentropy", metrics=["accuracy"])
    scaled = pixels.astype(np.float32) / 255

    def fit() -> None:
        theirs.model.fit(scaled, labels, batch_size=case.batch_size, verbose=0)

    def run() -> None:
        batches = random.permutation(size).reshape(case.steps, case.batch_size)
        for first in range(0, case.steps, STEPS_A_CALL):
            engine.run(batches[first : first + STEPS_A_CALL], first)

    return fit, run


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
    rows = [paired(CASES[name], *contestants(CASES[name]), options.rounds) for name in options.cases or CASES]
    header = ("network", "fit, ms a step", "engine, ms a step", "times faster, clock", "by CPU time")
    text = markdown_table(header, rows) + f"\n{machine()}\n"
    print(text)
    if options.write:
        write_section("Keras layers", text)


if __name__ == "__main__":
    main()
