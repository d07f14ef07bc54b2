"""Makes the files in docs/study again from the runs of experiments/study.yaml.

python docs/published_study.py FOLDER        # where the spec was trained
"""

import csv
import os
import sys
from pathlib import Path

import dropout_lab as dl
from dropout_lab.plotting.style import DARK, LIGHT, render
from dropout_lab.reporting.data import CSV_COLUMNS, csv_rows

STUDY = Path(__file__).resolve().parent / "study"
PLOTS = ("forest", "paired_seeds")
DIGITS = 6
"""Of scores: the loss of 10,000 images is known no better in single precision."""


def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    os.chdir(sys.argv[1])
    result = dl.compare("study", ensemble=True)
    runs = result.comparison.runs
    metrics = result.comparison.metrics
    scores = [",".join(("condition", "seed", *metrics))]
    for name in result.comparison.conditions:
        for run in sorted((one for one in runs if one.condition == name), key=lambda one: one.seed):
            values = (f"{run.metrics[metric]:.{DIGITS}f}".rstrip("0") for metric in metrics)
            scores.append(",".join((name, str(run.seed), *values)))
    (STUDY / "scores.csv").write_text("\n".join(scores) + "\n", encoding="utf-8")
    with (STUDY / "comparison.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([CSV_COLUMNS, *csv_rows(result.comparison)])
    html = result.to_html(command="dropout-lab compare study --report report.html")
    (STUDY / "report.html").write_text(html, encoding="utf-8")
    for plot in result.plots():
        for suffix, theme in (("", LIGHT), ("-dark", DARK)):
            if plot.name in PLOTS:
                (STUDY / "plots" / f"{plot.name}{suffix}.png").write_bytes(render(plot.draw(theme), "png"))
    (STUDY / "comparison.md").write_text(f"{_head(result)}\n\n{result.to_markdown()}", encoding="utf-8")


def _head(result: dl.ComparisonResult) -> str:
    """Return what the runs are, for readers of the tables alone."""
    runs = result.comparison.runs
    days = sorted({run.start_time.strftime("%Y-%m-%d") for run in runs})
    (device,) = {run.device_name for run in runs}
    (engine,) = {run.engine for run in runs}
    with_what = "the stock Keras layers" if engine == "stock" else "the fast engine"
    return (
        "# The study of the published network\n\n"
        f"{len(runs)} runs of `experiments/study.yaml`, trained on {' and '.join(days)} on one {device} with "
        f"{with_what}. The [values per seed](scores.csv), the [report](report.html) and this page are made "
        "from them by `docs/published_study.py`. The same study on two CPU cores has "
        "[its own values](scores_cpu.csv)."
    )


if __name__ == "__main__":
    main()
