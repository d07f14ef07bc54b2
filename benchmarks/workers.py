"""Train the same runs with one worker on all threads, and with one single-threaded worker per CPU.

    python benchmarks/workers.py [--rounds 3] [--runs 4] [--images 5000] [--epochs 2] [--write]

Runs of the published network, short ones, started as a user starts them, so that the start of each worker
counts. Rounds are interleaved. The clock decides how many runs per hour there are; the CPU time, which other
processes change less, says what the threads of one run waste. Results are written on a quiet machine only.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from dropout_lab.training.cpus import available_cpus
from results import machine, markdown_table, write_section

SPEC = """\
name: workers
training: {{epochs: {epochs}}}
data: {{num_train: {images}, num_test: 1000}}
model: {{dropout: {{conv1: 0.2, conv2: 0.2, dense: 0.5}}}}
seeds: {runs}
"""


def train(spec: str, workers: int) -> tuple[float, float]:
    """Return the seconds by the clock, and of CPU, that all runs of `spec` take with this many workers."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "workers.yaml").write_text(spec)
        command = [sys.executable, "-m", "dropout_lab", "run", "workers.yaml", "--workers", str(workers)]
        environment = {key: value for key, value in os.environ.items() if key != "TF_NUM_INTRAOP_THREADS"}
        before, began = _cpu_seconds(), time.perf_counter()
        subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
        return time.perf_counter() - began, _cpu_seconds() - before


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--runs", type=int, default=4, help="runs of each contestant in a round")
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--write", action="store_true", help="write the table into benchmarks/RESULTS.md")
    options = parser.parse_args()
    spec = SPEC.format(epochs=options.epochs, images=options.images, runs=options.runs)
    cpus = available_cpus()
    times: dict[int, list[tuple[float, float]]] = {1: [], cpus: []}
    for number in range(options.rounds):
        for workers in sorted(times, reverse=bool(number % 2)):
            times[workers].append(train(spec, workers))
    rows = []
    for workers, found in times.items():
        clock, cpu = (statistics.median(one[index] for one in found) for index in (0, 1))
        ratios = [b[0] / a[0] for a, b in zip(found, times[1], strict=True)]
        rows.append(
            (
                f"{workers} x {cpus // workers} threads",
                f"{3600 * options.runs / clock:.0f}",
                f"{cpu / options.runs:.1f}",
                f"{statistics.median(ratios):.2f}",
            )
        )
    header = ("workers", "runs per hour", "CPU seconds per run", "throughput, paired")
    result = (
        f"{machine()}\n\n{options.runs} runs of {options.epochs} epochs with {options.images} images;"
        f" {options.rounds} interleaved rounds, with the start of the workers.\n\n"
        f"{markdown_table(header, rows)}"
    )
    print(result)
    if options.write:
        write_section("Runs per hour: threads or workers", result)


if __name__ == "__main__":
    main()
