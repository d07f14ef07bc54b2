"""Is the published run one that this project's runs could have given? Epoch by epoch, as Markdown.

    dropout-lab run experiments/study.yaml
    python benchmarks/reproduction.py study > docs/study/reproduction.md

For each epoch and metric: the interval in which one more run would lie with a probability of 95 %, from the
dropout condition's seeds (mean +- t * s * sqrt(1 + 1/n), the prediction interval for normal values; e.g. Hahn
and Meeker, Statistical Intervals, section 4.3), and whether the published value lies in it.
"""

import csv
import sys
from pathlib import Path

import numpy as np
from scipy import stats

from dropout_lab.records import RunStatus
from dropout_lab.tracking import read_runs
from results import markdown_table

METRICS = ("loss", "accuracy", "val_loss", "val_accuracy")
PUBLISHED = Path(__file__).resolve().parent.parent / "docs" / "study" / "published_run.csv"
CONFIDENCE = 0.95


def prediction_interval(values: np.ndarray) -> tuple[float, float]:
    """Return where one more value lies with probability CONFIDENCE, given independent normal `values`."""
    n = len(values)
    half = stats.t.ppf((1 + CONFIDENCE) / 2, n - 1) * values.std(ddof=1) * np.sqrt(1 + 1 / n)
    return values.mean() - half, values.mean() + half


def main(experiment: str) -> None:
    finished = read_runs(experiment, statuses=[RunStatus.FINISHED], histories=METRICS)
    runs = [run for run in finished if run.condition == "dropout"]
    with PUBLISHED.open() as file:
        published = list(csv.DictReader(file))
    rows = []
    num_inside = 0
    for index, row in enumerate(published):
        cells = [row["epoch"]]
        for metric in METRICS:
            low, high = prediction_interval(np.array([run.history[metric][index] for run in runs]))
            is_inside = low <= float(row[metric]) <= high
            num_inside += is_inside
            cells.append(
                f"{float(row[metric]):.4f} {'in' if is_inside else '**outside**'} {low:.4f} to {high:.4f}"
            )
        rows.append(cells)
    num_values = len(published) * len(METRICS)
    print(f"{num_inside} of {num_values} published values lie in the 95 % prediction interval of")
    print(f"{len(runs)} runs of the published network (`benchmarks/reproduction.py` makes this table).\n")
    print(markdown_table(["epoch", *METRICS], rows), end="")


if __name__ == "__main__":
    main(sys.argv[1])
