"""How much faster the engine of Keras layers trains networks under Keras' bfloat16 policy than in float32.

    python benchmarks/keras_precision.py                  # all networks, about 5 minutes on a quiet machine
    python benchmarks/keras_precision.py wide --rounds 20
    python benchmarks/keras_precision.py --write          # and into RESULTS.md

Both engines train the same network in one process, in turn; ratios are taken within a round. What products
gain must pay for the conversions around them, so a network gains if its layers are wide.
"""

import argparse

from keras_engine import CASES as COMMON
from keras_engine import Case, engine_steps, paired
from results import machine, markdown_table, write_section

CASES = {
    **COMMON,
    "wide": Case(
        "MLP of 2 x 2048 units, 28 x 28",
        {"network": "mlp", "hidden": [2048, 2048], "dropout": 0.5},
        (28, 28, 1),
        200,
        5,
    ),
    "lenet5": Case("LeNet-5, 28 x 28", {"network": "lenet5", "dropout": 0.5}, (28, 28, 1), 200, 10),
    "resnet": Case("ResNet, 28 x 28", {"network": "resnet"}, (28, 28, 1), 100, 3),
}
PRECISIONS = ("float32", "mixed_bfloat16")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cases", nargs="*", choices=[*CASES, []], help="networks (default: all)")
    parser.add_argument("--rounds", type=int, default=15, help="rounds (default 15)")
    parser.add_argument("--write", action="store_true", help="write the result into RESULTS.md")
    options = parser.parse_args()

    from dropout_lab.libraries import set_variables

    set_variables()  # as `dropout-lab run` does, before TensorFlow is imported
    rows = [
        paired(case, *(engine_steps(case, precision) for precision in PRECISIONS), options.rounds)
        for case in (CASES[name] for name in options.cases or CASES)
    ]
    header = ("network", "float32, ms a step", "bfloat16, ms a step", "times faster, clock", "by CPU time")
    text = markdown_table(header, rows) + f"\n{machine()}\n"
    print(text)
    if options.write:
        write_section("Keras layers in bfloat16", text)


if __name__ == "__main__":
    main()
