"""Are the error rates, intervals and powers what they are said to be? Simulated comparisons with known truth.

    python benchmarks/calibration.py [--comparisons 2000] [--only NAME ...]

Prints Markdown tables. The comparisons are judged by the code that judges real runs. About nine minutes on
one core.
"""

import argparse
from collections.abc import Callable

from error_rates import added_rows, fixed_rows, margin_rows, sequential_rows, whole_output_rows
from promises import coverage_rows, early_stopping_rows, power_rows, sequential_plan_rows, uncertain_plan_rows
from simulation import MARGIN, RUN_SD, Rows
from winners import winner_rows

TABLES: dict[str, tuple[str, tuple[str, ...], Callable[[int], Rows]]] = {
    "fixed": (
        "No effect, fixed design: how often at least one condition is called better or worse (at most 5%)",
        ("noise", "conditions", "seeds", "better or worse", "if nothing were equivalent",
         "equivalence promised", "equivalent"),
        fixed_rows,
    ),
    "sequential": (
        "No effect, sequential: how often at least one condition is called better or worse (at most 5%)",
        ("conditions", "looks", "SD of a run (points)", "better or worse", "equivalent", "mean seeds"),
        sequential_rows,
    ),
    "added": (
        "No effect, against the advice: seeds added to a fixed design of 5 until decided, up to 8 looks",
        ("SD of a run (points)", "better or worse", "mean looks", "printed, on average", "printed at most"),
        added_rows,
    ),
    "output": (
        "No effect in any of five metrics, 10 seeds: how often the default output errs (at most 5% each)",
        ("conditions", "correlation", "primary", "secondary", "claims", "any of them"),
        whole_output_rows,
    ),
    "margin": (
        "True difference at the margin: how often at least one condition is called equivalent (at most 5%)",
        ("noise", "conditions", "seeds", "equivalent"),
        margin_rows,
    ),
    "coverage": (
        "How often 95% intervals hold the truth; no interval contradicts its p-value",
        ("noise", "method", "seeds", "interval holds the truth"),
        coverage_rows,
    ),
    "stopping": (
        "Sequential design of 5 to 30 seeds against fixed designs, by true difference in standard deviations",
        ("true difference", "found", "as planned", "equivalent", "mean seeds", "as planned",
         "fixed seeds that decide as often", "interval holds the truth", "bias of the mean",
         "bias of the estimate"),
        early_stopping_rows,
    ),
    "power": (
        "One condition with an effect: how often it is found with the planned seeds (known noise, power 0.8)",
        ("noise", "true difference", "conditions", "seeds", "promised", "found"),
        power_rows,
    ),
    "plans": (
        "Plans from few measured pairs: how often the true difference is found with the planned seeds",
        ("true difference (SD)", "measured pairs", "median seeds", "promised", "found"),
        uncertain_plan_rows,
    ),
    "sequential-plans": (
        "Sequential plans from few measured pairs, difference of 1 SD: mean over 20 measured noises",
        ("measured pairs", "median of most seeds", "promised", "found", "mean seeds"),
        sequential_plan_rows,
    ),
    "search": (
        "No trial has an effect: verdict on the best one of a search, on fresh seeds and on the search's own",
        ("trials", "seeds per trial", "fresh seeds", "equivalent or undecided (at least 95%)", "equivalent",
         "better or worse on the search's own seeds"),
        winner_rows,
    ),
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--comparisons", type=int, default=2000, help="simulated comparisons per number")
    parser.add_argument("--only", nargs="+", choices=TABLES, default=list(TABLES), help="tables to make")
    options = parser.parse_args()
    print(
        f"{options.comparisons} simulated comparisons per number; ± one Monte Carlo standard error. "
        f"Test accuracies have a standard deviation of {100 * RUN_SD:g} points over seeds unless stated "
        f"otherwise; confidence 95%, margin {100 * MARGIN:g} points."
    )
    for name in options.only:
        title, headings, rows = TABLES[name]
        print(f"\n### {title}\n\n| {' | '.join(headings)} |\n|{' --- |' * len(headings)}", flush=True)
        for row in rows(options.comparisons):
            print(f"| {' | '.join(str(cell) for cell in row)} |", flush=True)


if __name__ == "__main__":
    main()
