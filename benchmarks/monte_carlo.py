"""What Monte Carlo dropout costs: T samples against T plain predictions of the same inputs.

    python benchmarks/monte_carlo.py                # all networks, about 3 minutes on a quiet machine
    python benchmarks/monte_carlo.py mlp --samples 50
    python benchmarks/monte_carlo.py --write        # and into RESULTS.md

In each round one process draws T samples and predicts T times, one after the other, so that what disturbs the
machine disturbs both; ratios are taken within a round, and their median and quartiles reported, by the clock
and by the time of the processors.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np

from results import machine, markdown_table, write_section

CASES: dict[str, tuple[str, dict[str, object]]] = {
    "published": ("published network", {"dropout": {"conv1": 0.2, "conv2": 0.2, "dense": 0.5}}),
    "mlp": ("MLP of 2 x 1024 units", {"network": "mlp", "dropout": 0.5}),
    "lenet5": ("LeNet-5", {"network": "lenet5", "dropout": 0.5}),
}
NUM_EXAMPLES = 2000


def contestants(settings: dict[str, object], num_samples: int) -> tuple[Callable[[], object], ...]:
    """Return what draws the samples, and what predicts as often with dropout off."""
    from dropout_lab.data.dataset import Dataset
    from dropout_lab.data.scaling import UNIT_PIXELS
    from dropout_lab.models.network import build_network
    from dropout_lab.records import DataFingerprint
    from dropout_lab.spec import ModelSpec
    from dropout_lab.training.monte_carlo import MonteCarloPredictor
    from dropout_lab.training.prediction import Predictor

    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (NUM_EXAMPLES, 28, 28, 1), np.uint8)
    labels = random.integers(0, 10, NUM_EXAMPLES)
    nowhere = DataFingerprint(folder="", checksums={}, num_train=0, num_validation=0, num_test=0, digest="")
    data = Dataset(
        train_inputs=pixels,
        train_labels=labels,
        validation_inputs=pixels,
        validation_labels=labels,
        test_inputs=pixels,
        test_labels=labels,
        class_names=tuple("0123456789"),
        scaling=UNIT_PIXELS,
        fingerprint=nowhere,
    )
    network = build_network(ModelSpec.model_validate(settings), (28, 28, 1), 10, 0)
    sampled, plain = MonteCarloPredictor(network, UNIT_PIXELS, 0), Predictor(network, data)
    return (
        lambda: sampled.predict(pixels, num_samples),
        lambda: [plain.probs(pixels) for _ in range(num_samples)],
    )


def seconds(action: Callable[[], object]) -> tuple[float, float]:
    """Return how long `action` takes, by the clock and in processor time."""
    clock, cpu = time.perf_counter(), time.process_time()
    action()
    return time.perf_counter() - clock, time.process_time() - cpu


def measure(name: str, num_samples: int, num_rounds: int) -> tuple[str, ...]:
    label, settings = CASES[name]
    both = contestants(settings, num_samples)
    for action in both:
        action()  # traced, compiled and warm
    times = np.array([[seconds(action) for action in both] for _ in range(num_rounds)])
    per_pass = np.median(times[..., 0], axis=0) / num_samples * 1000
    ratios = np.percentile(times[:, 0] / times[:, 1], [25, 50, 75], axis=0)
    return (
        label,
        *(f"{value:.1f}" for value in per_pass),
        *(f"{middle:.2f} ({low:.2f} to {high:.2f})" for low, middle, high in ratios.T),
        "at most 1.1",
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cases", nargs="*", choices=[*CASES, []], help="networks (default: all)")
    parser.add_argument("--samples", type=int, default=20, help="samples T (default 20)")
    parser.add_argument("--rounds", type=int, default=12, help="rounds (default 12)")
    parser.add_argument("--write", action="store_true", help="write the result into RESULTS.md")
    options = parser.parse_args()

    from dropout_lab.libraries import set_variables

    set_variables()  # as `dropout-lab evaluate` does, before TensorFlow is imported
    rows = [measure(name, options.samples, options.rounds) for name in options.cases or CASES]
    header = ("network", "sample, ms", "plain prediction, ms", "ratio by the clock", "by CPU time", "aim")
    text = (
        f"{options.samples} samples of {NUM_EXAMPLES:,} images against as many plain predictions. Median of "
        f"{options.rounds} rounds, with quartiles.\n\n{markdown_table(header, rows)}\n{machine()}\n"
    )
    print(text)
    if options.write:
        write_section("Monte Carlo dropout", text)


if __name__ == "__main__":
    main()
