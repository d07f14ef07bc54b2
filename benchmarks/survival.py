"""Kills runs at random moments and checks that nothing is lost, nothing doubled, and no weight changed.

    python benchmarks/survival.py --kills 100       # about 30 minutes on a quiet machine
    python benchmarks/survival.py --write           # and into RESULTS.md

A spec of two conditions is trained once without interruption. Then it is started again and again, killed by
SIGKILL after a random time (so also while checkpoints are written and MLflow is called), until it ends by
itself; and all of that anew until there were enough kills. The weights must be bit-identical to the
uninterrupted run's, each metric's steps present once, and each run there once.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from dropout_lab.records import RunStatus
from dropout_lab.tracking import read_runs
from results import machine, markdown_table, write_section

SPEC = Path(__file__).resolve().parent.parent / "experiments" / "smoke.yaml"
METRICS = ("loss", "accuracy", "val_loss", "val_accuracy", "epoch_seconds")
NUM_EPOCHS = 12
STARTUP_SECONDS = 6.0


def start(experiment: str) -> subprocess.Popen[bytes]:
    options = ["--seeds", "1", "--set", f"training.epochs={NUM_EPOCHS}", "--set", f"experiment={experiment}"]
    return subprocess.Popen(
        [sys.executable, "-m", "dropout_lab", "run", str(SPEC), *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def problems(experiment: str, expected: dict[str, str]) -> list[str]:
    """Return what is wrong with the runs of `experiment`, whose weights should be `expected` by condition."""
    runs = read_runs(experiment, histories=METRICS)
    found = []
    counts = Counter(run.condition for run in runs)
    if counts != Counter(expected):
        found.append(f"runs {dict(counts)}")
    for run in runs:
        if run.status is not RunStatus.FINISHED:
            found.append(f"{run.run_name} is {run.status}")
        if run.final_weights != expected[run.condition]:
            found.append(f"{run.run_name} has other weights")
        found += [f"{run.run_name}: {name}" for name in METRICS if len(run.history[name]) != NUM_EPOCHS]
    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    moments = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        began = time.perf_counter()
        assert start("whole").wait() == 0
        longest = time.perf_counter() - began
        expected = {run.condition: run.final_weights for run in read_runs("whole")}
        num_kills = num_specs = 0
        wrong: list[str] = []
        while num_kills < options.kills:
            experiment = f"killed {num_specs}"
            while True:
                process = start(experiment)
                try:
                    process.wait(timeout=moments.uniform(STARTUP_SECONDS, longest))
                    break
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
                    num_kills += 1
            wrong += [] if process.returncode == 0 else [f"{experiment} ended with {process.returncode}"]
            wrong += problems(experiment, expected)
            num_specs += 1
            print(f"{num_kills} kills, {2 * num_specs} runs, wrong: {wrong or 'nothing'}", flush=True)
        os.chdir(SPEC.parent)
    table = markdown_table(
        ["SIGKILLs", "runs ended", "what was wrong"],
        [[str(num_kills), str(2 * num_specs), "; ".join(wrong) or "nothing"]],
    )
    if options.write:
        write_section("Survival", f"{machine()}; killed at random moments, seed {options.seed}.\n\n{table}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
