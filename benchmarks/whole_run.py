"""How long `dropout-lab run` takes, everything included, against the published script.

    python benchmarks/whole_run.py                  # the whole protocol once each, about 15 minutes
    python benchmarks/whole_run.py --epochs 2 --rounds 3
    python benchmarks/whole_run.py --write          # and into RESULTS.md

Both run in turn in fresh processes and fresh folders. The second figure is what a run costs beyond its own
training steps and evaluations: start-up, compilation, tracking, pictures, the model.
"""

import argparse
import json
import os
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


def timed(command: list[str], **environment: str) -> tuple[float, str]:
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        result = subprocess.run(
            [sys.executable, *command],
            cwd=folder,
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            check=True,
        )
        return time.perf_counter() - began, result.stdout


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=1)
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
        peer_seconds, _ = timed([script, str(options.epochs)])
        run_seconds, printed = timed(ours)
        metrics = json.loads(printed)[0]["metrics"]
        validations = metrics["evaluation_seconds"] * options.epochs * NUM_VALIDATED_AN_EPOCH / NUM_EVALUATED
        pure_seconds = metrics["train_seconds"] + metrics["evaluation_seconds"] + validations
        rows.append((peer_seconds, run_seconds, pure_seconds))
        print(f"script {peer_seconds:.1f} s, dropout-lab run {run_seconds:.1f} s, pure {pure_seconds:.1f} s")
    ratios = {
        "published script with autologging / `dropout-lab run`": [row[0] / row[1] for row in rows],
        "`dropout-lab run` / its own steps and evaluations": [row[1] / row[2] for row in rows],
    }
    table = markdown_table(
        ["ratio", "median", "lowest", "highest"],
        [
            [name, *(f"{value:.2f}" for value in (statistics.median(values), min(values), max(values)))]
            for name, values in ratios.items()
        ],
    )
    text = f"{machine()}; {options.epochs} epochs, {options.rounds} rounds.\n\n{table}"
    print(text)
    if options.write:
        write_section("A whole run", text)


if __name__ == "__main__":
    main()
