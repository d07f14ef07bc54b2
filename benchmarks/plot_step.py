"""Draws RESULTS.md's table of training steps for the README.

python benchmarks/plot_step.py                  # writes docs/step.png and docs/step-dark.png
"""

import re

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from results import RESULTS

DOCS = RESULTS.parent.parent / "docs"
ROW = re.compile(
    r"^\| (?P<name>[^|]+) \| [\d.]+ \| [\d.]+ \| (?P<median>[\d.]+) \((?P<low>[\d.]+) to (?P<high>[\d.]+)\)"
    r" \| [\d.]+ \("  # the ratio by CPU time, which the tables of growth have not
)
INKS = {"step.png": "#222222", "step-dark.png": "#dddddd"}
OWN, OTHER = "#56b4e9", "#bbbbbb"


def main() -> None:
    section = RESULTS.read_text().partition("## Training step\n")[2].partition("\n## ")[0]
    rows = [match for line in section.splitlines() if (match := ROW.match(line))]
    names = [row["name"].replace("`", "") for row in rows]
    medians = [float(row["median"]) for row in rows]
    errors = [
        [median - float(row["low"]) for row, median in zip(rows, medians, strict=True)],
        [float(row["high"]) - median for row, median in zip(rows, medians, strict=True)],
    ]
    for file, ink in INKS.items():
        figure = Figure(figsize=(7.5, 0.42 * len(rows) + 0.9), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        colors = [OWN if "fast" in name else OTHER for name in names]
        axes.barh(names, medians, xerr=errors, color=colors, ecolor=ink, edgecolor=ink, capsize=3)
        for name, median in zip(names, medians, strict=True):
            axes.text(0.05, name, f"{median:.2f}", va="center", color="black", fontweight="bold")
        axes.invert_yaxis()
        axes.set_xlabel("training steps a second, stock Keras fit = 1 (median and quartiles)", color=ink)
        axes.tick_params(colors=ink)
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(ink)
        figure.savefig(DOCS / file, dpi=110, transparent=True, metadata={"Software": None})


if __name__ == "__main__":
    main()
