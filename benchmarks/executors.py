"""What it costs to start each executor: this process, worker processes, and a Ray cluster.

python benchmarks/executors.py [--runs 4] [--rounds 3] [--write]

The same tiny runs are trained by each executor, one after the other, in fresh folders and alternating order:
one run, then several. The one tells what the start costs, the difference what each further run costs.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from results import machine, markdown_table, others, write_section

PAUSE_SECONDS = 2.0
SPEC = """\
name: executors
data: {dataset: digits}
model: {network: mlp, hidden: [16]}
training: {epochs: 1, batch_size: 100}
conditions:
  dropout: {model: {dropout: 0.5}}
"""
EXECUTORS = {
    "this process": (),
    "one worker": ("--workers", "1"),
    "Ray, running cluster": ("--executor", "ray", "--workers", "1"),
    "Ray, cluster of its own": ("--executor", "ray", "--workers", "1", "--address", "local"),
}


@contextmanager
def cluster() -> Iterator[str]:
    """Start a cluster of one node with one CPU, and yield its address."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster

    node = {"num_cpus": 1, "object_store_memory": 100_000_000, "include_dashboard": False}
    made = Cluster(initialize_head=True, head_node_args=node)
    try:
        yield made.address
    finally:
        made.shutdown()


def seconds(options: tuple[str, ...], num_runs: int) -> float:
    """Return the elapsed time of a command that trains `num_runs` runs."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "executors.yaml").write_text(SPEC)
        command = [sys.executable, "-m", "dropout_lab", "run", "executors.yaml", "--quiet"]
        began = time.perf_counter()
        done = subprocess.run(
            [*command, "--seeds", str(num_runs), *options],
            cwd=folder,
            capture_output=True,
            text=True,
            env=os.environ | {"TF_NUM_INTRAOP_THREADS": "1"},
            check=False,
        )
        elapsed = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(done.stderr)
    return elapsed


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    first: dict[str, list[float]] = {name: [] for name in EXECUTORS}
    further: dict[str, list[float]] = {name: [] for name in EXECUTORS}
    with cluster() as address:
        for number in range(options.rounds):
            for name in list(EXECUTORS)[:: 1 if number % 2 else -1]:
                where = EXECUTORS[name]
                if "ray" in where and "--address" not in where:
                    where = (*where, "--address", address)
                with others.not_counting():
                    one = seconds(where, 1)
                    several = seconds(where, options.runs)
                time.sleep(PAUSE_SECONDS)  # what is busy now is something else
                first[name].append(one)
                further[name].append((several - one) / (options.runs - 1))
                print(f"{name}: {one:.1f} s for one run, {further[name][-1]:.1f} s for each further one")
    rows = [
        [name, f"{statistics.median(first[name]):.1f}", f"{statistics.median(further[name]):.1f}"]
        for name in EXECUTORS
    ]
    text = f"{machine()}; medians of {options.rounds} rounds.\n\n" + markdown_table(
        ["executor", "s for one tiny run", "s for each further one"], rows
    )
    print(text)
    if options.write:
        write_section("Executors", text)


if __name__ == "__main__":
    main()
