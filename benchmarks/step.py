"""How long one training step takes: this project's engines, stock Keras, PyTorch, and bare matrix products.

    python benchmarks/step.py                       # 12 rounds, about 5 minutes on a quiet machine
    python benchmarks/step.py --growth              # and by batch size, width and dataset size
    python benchmarks/step.py --write               # and into RESULTS.md

Each contestant runs in a fresh process, because flags are read when TensorFlow is imported. In each round
every contestant in turn does the same number of steps while the others wait, so that what disturbs the
machine disturbs all of them; ratios are taken within a round, and their median and quartiles reported.
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from contestants import PUBLISHED, Contestant
from results import machine, markdown_table, write_section

STEPS = 15
WORKER = Path(__file__).parent / "contestants.py"

CONTESTANTS = [
    Contestant("stock Keras `fit`", "keras", onednn=False),
    Contestant("stock Keras `fit`, oneDNN flag", "keras"),
    Contestant("PyTorch, eager", "torch"),
    Contestant("engine stock", "stock"),
    Contestant("engine fast, rates 0, 0, 0", "fast", (0.0, 0.0, 0.0)),
    Contestant("engine fast, rates 0.2, 0.2, 0.5", "fast"),
    Contestant("engine fast, rates 0.5, 0.5, 0.5", "fast", (0.5, 0.5, 0.5)),
    Contestant("matrix products of the same FLOPs", "matmul"),
]
PEER, STOCK_FLAG, FREE, FAST, FLOOR = (CONTESTANTS[i] for i in (0, 1, 4, 5, 7))


@dataclass
class Runner:
    """A contestant's process and its milliseconds a step, by the clock and of CPU, in each round."""

    contestant: Contestant
    milliseconds: list[tuple[float, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"}
        # "Without the flag" is TensorFlow's own default, whatever that is on this processor.
        environment.pop("TF_ENABLE_ONEDNN_OPTS", None)
        if self.contestant.onednn:
            environment["TF_ENABLE_ONEDNN_OPTS"] = "1"
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - open as long as the process
        self._process = subprocess.Popen(
            [sys.executable, str(WORKER), json.dumps(self.contestant.__dict__)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env=environment,
        )
        self.run(2)  # traced, compiled and warm

    def run(self, num_steps: int) -> tuple[float, float]:
        assert self._process.stdin and self._process.stdout
        print(num_steps, file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            self._errors.seek(0)
            sys.exit(f"{self._errors.read()}\n{self.contestant.label}: its process ended without an answer")
        wall, cpu = json.loads(answer)
        return wall / num_steps * 1000, cpu / num_steps * 1000

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()


def race(contestants: list[Contestant], num_rounds: int) -> dict[Contestant, np.ndarray]:
    """Return for each contestant (num_rounds, 2) milliseconds a step: by the clock, and of CPU."""
    runners = []
    try:
        runners.extend(Runner(contestant) for contestant in contestants)
        for number in range(num_rounds):
            print(f"\rround {number + 1} of {num_rounds}", end="", file=sys.stderr, flush=True)
            for runner in runners:
                runner.milliseconds.append(runner.run(STEPS))
    finally:
        print(file=sys.stderr)
        for runner in runners:
            runner.close()
    return {runner.contestant: np.array(runner.milliseconds) for runner in runners}


def ratio(numerator: np.ndarray, denominator: np.ndarray, column: int) -> str:
    """Return the median of the rounds' ratios with its quartiles; column 0 is the clock's, 1 the CPU's."""
    low, middle, high = np.percentile(numerator[:, column] / denominator[:, column], [25, 50, 75])
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


def compare(num_rounds: int) -> str:
    contestants = [c for c in CONTESTANTS if c.kind != "torch" or importlib.util.find_spec("torch")]
    times = race(contestants, num_rounds)
    peer = times[PEER]
    rows = [
        (
            contestant.label,
            *(f"{value:.1f}" for value in np.median(ms, axis=0)),
            ratio(peer, ms, 0),
            ratio(peer, ms, 1),
        )
        for contestant, ms in times.items()
    ]
    header = ("contestant", "ms a step", "CPU ms a step", "times faster than stock", "by CPU time")
    figures = [
        (
            "fast with dropout / stock Keras `fit` (faster by)",
            ratio(peer, times[FAST], 0),
            "clock, at least 2.2",
        ),
        ("fast with dropout / fast without", ratio(times[FAST], times[FREE], 0), "clock, at most 1.08"),
        ("fast with dropout / fast without", ratio(times[FAST], times[FREE], 1), "CPU, at most 1.08"),
        ("fast with dropout / matrix products", ratio(times[FAST], times[FLOOR], 1), "CPU, at most 1.35"),
    ]
    return (
        f"One step of the published network, batch {PEER.batch_size}, rates {PUBLISHED} unless said "
        f"otherwise. Median of {num_rounds} interleaved rounds of {STEPS} steps, with quartiles.\n\n"
        + markdown_table(header, rows)
        + "\n"
        + markdown_table(("ratio", "median (quartiles)", "measure, aim"), figures)
    )


def growth(num_rounds: int) -> str:
    """Compare the fast engine with stock layers, both with oneDNN, by batch size, width and dataset size."""
    parts = []
    for title, changes in (
        ("batch size", [{"batch_size": size} for size in (50, 100, 200, 400, 800)]),
        ("multiple of the published width", [{"width": width} for width in (1, 2, 4)]),
        ("training images", [{"num_images": size} for size in (4_000, 20_000, 60_000)]),
    ):
        rows = []
        for change in changes:
            fast, stock = (Contestant(f"{kind} {change}", kind, **change) for kind in ("fast", "stock"))
            times = race([fast, stock], num_rounds)
            images = fast.batch_size / 1000
            medians = [float(np.median(times[one][:, 0])) / images for one in (fast, stock)]
            value = str(next(iter(change.values())))
            rows.append((value, *(f"{v:.0f}" for v in medians), ratio(times[stock], times[fast], 0)))
        header = (title, "fast, µs an image", "engine stock, µs an image", "times faster")
        parts.append(markdown_table(header, rows))
    return "Growth, rates as published:\n\n" + "\n".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=12, help="interleaved rounds (default 12)")
    parser.add_argument(
        "--growth", action="store_true", help="also compare by batch size, width and dataset size"
    )
    parser.add_argument("--write", action="store_true", help="write the result into RESULTS.md")
    options = parser.parse_args()
    text = compare(options.rounds)
    if options.growth:
        text += "\n" + growth(max(3, options.rounds // 2))
    text += f"\n{machine()}\n"
    print(text)
    if options.write:
        write_section("Training step", text)


if __name__ == "__main__":
    main()
