"""How much faster a training step is with products in bfloat16, where the processor computes them itself.

    python benchmarks/bfloat16.py                   # 12 rounds, about 3 minutes on a quiet machine
    python benchmarks/bfloat16.py --write           # and into RESULTS.md

Contestants run as in `step.py`: each in a fresh process, in turn, with ratios taken within a round. On a
processor without AVX512-BF16 or AMX instructions nothing is measured.
"""

import argparse

import numpy as np

from contestants import Contestant
from results import machine, markdown_table, write_section
from step import STEPS, race, ratio

STOCK = Contestant("stock Keras `fit`, float32", "keras", onednn=False)
FLOAT32 = Contestant("engine fast, float32", "fast")
FREE = Contestant("engine fast, bfloat16, rates 0, 0, 0", "fast", (0.0, 0.0, 0.0), precision="mixed_bfloat16")
BFLOAT16 = Contestant("engine fast, bfloat16", "fast", precision="mixed_bfloat16")

RATIOS = [
    ("float32 / bfloat16", FLOAT32, BFLOAT16, "at least 1.4"),
    ("stock Keras `fit` / bfloat16", STOCK, BFLOAT16, "at least 3"),
    ("bfloat16 with dropout / without", BFLOAT16, FREE, "at most 1.08"),
]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=12, help="interleaved rounds (default 12)")
    parser.add_argument("--write", action="store_true", help="write the result into RESULTS.md")
    options = parser.parse_args()
    times = race([BFLOAT16, FREE, FLOAT32, STOCK], options.rounds)
    medians = [
        (contestant.label, *(f"{value:.1f}" for value in np.median(milliseconds, axis=0)))
        for contestant, milliseconds in times.items()
    ]
    figures = [
        (name, *(ratio(times[over], times[under], column) for column in (0, 1)), aim)
        for name, over, under, aim in RATIOS
    ]
    text = (
        f"One step of the published network, batch {STOCK.batch_size}, rates {STOCK.rates} unless said "
        f"otherwise. Median of {options.rounds} interleaved rounds of {STEPS} steps, with quartiles.\n\n"
        + markdown_table(("contestant", "ms a step", "CPU ms a step"), medians)
        + "\n"
        + markdown_table(("ratio", "by the clock", "by CPU time", "aim"), figures)
        + f"\n{machine()}\n"
    )
    print(text)
    if options.write:
        write_section("Training step in bfloat16", text)


if __name__ == "__main__":
    main()
