"""Could the published run be one of this project's runs? One test of the whole learning curve, as Markdown.

    dropout-lab run experiments/dropout.yaml --seeds 40
    python benchmarks/reproduction.py dropout_lab > docs/study/reproduction.md

The epochs of one run are not independent, so counting the values outside an interval is not a test. Each
run, the published one included, gets one number instead: its largest distance from the mean of all other
runs, over all epochs and metrics, in standard deviations of those others. If the published run comes from
the same process, every rank of its number among all runs is equally likely, whatever the distribution of the
curves: the p-value is the share of runs whose number is at least as large. (A permutation test with the
maximum statistic; Westfall and Young, Resampling-Based Multiple Testing, 1993; full conformal prediction
counts the same way: Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World, 2005, section 2.2.)
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
STUDY = Path(__file__).resolve().parent.parent / "docs" / "study"
MIN_RUNS = 30


def distances(curves: np.ndarray) -> np.ndarray:
    """Return each run's distance from all others, value by value.

    Args:
        curves: Values of shape num_runs x num_values, at least 3 runs.

    Returns:
        (value - mean of the others) / (standard deviation of the others), of the same shape.
    """
    n = len(curves) - 1
    mean = (curves.sum(axis=0) - curves) / n
    # Sum of squared deviations of the others from their own mean: the total without this run's share.
    total = ((curves - curves.mean(axis=0)) ** 2).sum(axis=0)
    squares = total - (curves - mean) ** 2 * n / (n + 1)
    return (curves - mean) / np.sqrt(squares / (n - 1))


def rank_p_value(statistics: np.ndarray, index: int = 0) -> float:
    """Return the share of all runs, the one at `index` included, whose statistic is at least as large."""
    return float((statistics >= statistics[index]).mean())


def prediction_p_value(value: float, num_runs: int, mean: float, sd: float) -> float:
    """Return the two-sided p-value of one more `value`, given a sample of independent normal values.

    Source: Hahn and Meeker, Statistical Intervals, section 4.3 (the prediction interval that it inverts).
    """
    t = (value - mean) / (sd * np.sqrt(1 + 1 / num_runs))
    return float(2 * stats.t.sf(abs(t), num_runs - 1))


def first_epoch_rows(published: float, own_losses: np.ndarray) -> list[list[str]]:
    """Compare the first epoch's training loss of each source with the published one and with this project."""
    with (STUDY / "first_epoch.csv").open(newline="") as file:
        sources = [
            (row["source"], int(row["runs"]), float(row["mean"]), float(row["sd"]))
            for row in csv.DictReader(file)
        ]
    project = sources[-1][1:]
    sources.append(("dropout_lab, these runs", len(own_losses), own_losses.mean(), own_losses.std(ddof=1)))
    rows = []
    for name, runs, mean, sd in sources:
        welch = stats.ttest_ind_from_stats(
            mean, sd, runs, project[1], project[2], project[0], equal_var=False
        )
        rows.append(
            [
                name,
                str(runs),
                f"{mean:.4f} ± {sd:.4f}",
                f"{prediction_p_value(published, runs, mean, sd):.2g}",
                f"{welch.pvalue:.2g}" if "script" in name else "-",
            ]
        )
    return rows


def main(experiment: str) -> None:
    finished = read_runs(experiment, statuses=[RunStatus.FINISHED], histories=METRICS)
    runs = [run for run in finished if run.condition == "dropout"]
    with (STUDY / "published_run.csv").open(newline="") as file:
        published = list(csv.DictReader(file))
    epochs = range(len(published))
    published_curve = [float(published[epoch][metric]) for epoch in epochs for metric in METRICS]
    own_curves = [[run.history[metric][epoch] for epoch in epochs for metric in METRICS] for run in runs]
    curves = np.array([published_curve, *own_curves])

    distance = distances(curves)
    largest = np.abs(distance).max(axis=1)
    p_value = rank_p_value(largest)
    epoch, metric = divmod(int(np.abs(distance[0]).argmax()), len(METRICS))
    num_larger = int((largest[1:] >= largest[0]).sum())

    print("# The published run and runs of this project\n")
    print(
        f"The published learning curve (`published_run.csv`) against {len(runs)} runs of"
        " `experiments/dropout.yaml`. `benchmarks/reproduction.py` wrote this page and describes the test.\n"
    )
    if len(runs) < MIN_RUNS:
        print(f"Preliminary: the test is meant for at least {MIN_RUNS} runs.\n")
    print("## The whole curve\n")
    print(
        f"The largest distance of the published run from the others is {largest[0]:.2f} standard deviations"
        f" (`{METRICS[metric]}`, epoch {epoch + 1}). Among the runs of this project the median is"
        f" {np.median(largest[1:]):.2f} and the largest {largest[1:].max():.2f}; {num_larger} of {len(runs)}"
        f" reach the published run's distance. **p = {p_value:.3f}**"
        f" (smallest possible value with {len(runs)} runs: {1 / len(curves):.3f}).\n"
    )
    print("Distances of the published run, in standard deviations of these runs:\n")
    table = distance[0].reshape(len(published), len(METRICS))
    print(
        markdown_table(
            ["epoch", *METRICS],
            [[str(number), *(f"{value:+.1f}" for value in row)] for number, row in enumerate(table, start=1)],
        )
    )
    print("## Training loss of the first epoch\n")
    loss = float(published[0]["loss"])
    print(
        f"Published: {loss:.4f}. Mean ± standard deviation per source; p-value of the published value as one"
        " more run (t prediction, normal values); p-value of the difference from this project (Welch).\n"
    )
    own_losses = np.array([run.history["loss"][0] for run in runs])
    header = ["source", "runs", "mean ± SD", "p, published value", "p, difference from this project"]
    print(markdown_table(header, first_epoch_rows(loss, own_losses)))
    print(f"Largest of these {len(runs)} runs: {own_losses.max():.4f}.")


if __name__ == "__main__":
    main(sys.argv[1])
