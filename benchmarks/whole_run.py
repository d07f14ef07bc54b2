"""How long `dropout-lab run` takes, everything included, compared with the published script.

    python benchmarks/whole_run.py                  # the whole protocol, five rounds, about 75 minutes
    python benchmarks/whole_run.py --epochs 2       # about 20 minutes
    python benchmarks/whole_run.py --write          # also into RESULTS.md

Both run in turn in fresh processes and fresh folders. CPU time depends less on the load of the machine than
elapsed time. The last ratio is what a run costs beyond its own training steps and evaluations: start-up,
compilation, tracking, plots, the model.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from results import machine, markdown_table, write_section

REPOSITORY = Path(__file__).resolve().parent.parent
NUM_EVALUATED = 70_000
NUM_VALIDATED_AN_EPOCH = 10_000


def cpu_seconds() -> float:
    """Return the CPU time of all finished child processes."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def timed(command: list[str]) -> tuple[float, float, str]:
    """Run `command` with this Python; return elapsed seconds, CPU seconds and standard output."""
    with tempfile.TemporaryDirectory() as folder:
        cpu_began = cpu_seconds()
        began = time.perf_counter()
        result = subprocess.run(
            [sys.executable, *command],
            cwd=folder,
            env=os.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            check=True,
        )
        return time.perf_counter() - began, cpu_seconds() - cpu_began, result.stdout


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    script = str(REPOSITORY / "benchmarks" / "published_script.py")
    spec = str(REPOSITORY / "experiments" / "dropout.yaml")
    ours = [
        "-m",
        "dropout_lab",
        "run",
        spec,
        "--set",
        f"training.epochs={options.epochs}",
        "--format",
        "json",
    ]
    rows = []
    for _ in range(options.rounds):
        peer_seconds, peer_cpu, _ = timed([script, str(options.epochs)])
        run_seconds, run_cpu, printed = timed(ours)
        metrics = json.loads(printed)[0]["metrics"]
        validations = metrics["evaluation_seconds"] * options.epochs * NUM_VALIDATED_AN_EPOCH / NUM_EVALUATED
        pure_seconds = metrics["train_seconds"] + metrics["evaluation_seconds"] + validations
        rows.append((peer_seconds / run_seconds, peer_cpu / run_cpu, run_seconds / pure_seconds))
        print(f"script {peer_seconds:.1f} s, dropout-lab run {run_seconds:.1f} s, pure {pure_seconds:.1f} s")
    names = (
        "published script with autologging / `dropout-lab run`, elapsed",
        "published script with autologging / `dropout-lab run`, CPU",
        "`dropout-lab run` / its own steps and evaluations, elapsed",
    )
    ratios = dict(zip(names, zip(*rows, strict=True), strict=True))
    table = markdown_table(
        ["ratio", "median", "lowest", "highest"],
        [
            [name, *(f"{value:.2f}" for value in (statistics.median(values), min(values), max(values)))]
            for name, values in ratios.items()
        ],
    )
    load = os.getloadavg()[0]
    text = f"{machine()}; {options.epochs} epochs, {options.rounds} round(s), load {load:.1f}.\n\n{table}"
    print(text)
    if options.write:
        write_section("A whole run", text)


if __name__ == "__main__":
    main()
