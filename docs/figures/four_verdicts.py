"""Draws the four verdicts for docs/verdicts.md.

python docs/figures/four_verdicts.py        # writes the two SVG files beside this one
"""

from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator

from dropout_lab.plotting.style import DARK, LIGHT, Theme, default_settings, new_figure, render, style_axes

MARGIN = 0.2
# Verdict, mean difference and half of its interval in points.
CASES = (
    ("better", 0.55, 0.22, "the interval is above 0"),
    ("worse", -0.48, 0.25, "the interval is below 0"),
    ("equivalent", 0.03, 0.12, "the interval is inside the margin"),
    ("undecided", 0.18, 0.42, "the interval holds 0 and more than the margin"),
)


@default_settings()
def draw(theme: Theme) -> Figure:
    figure = new_figure(2.9, theme, width=7.2)
    axes = figure.add_subplot()
    style_axes(
        axes, theme, title="", xlabel="difference from the reference, in points of accuracy", ylabel=""
    )
    axes.grid(visible=False)
    axes.axvspan(-MARGIN, MARGIN, color=theme.grid, zorder=0)
    axes.axvline(0, color=theme.muted, linewidth=1)
    colors = {"better": theme.good, "worse": theme.bad}
    for row, (verdict, mean, half, reason) in enumerate(CASES):
        color = colors.get(verdict, theme.foreground)
        axes.errorbar(mean, row, xerr=half, fmt="s", color=color, markersize=6, capsize=4, linewidth=2)
        axes.text(1.02, row, verdict, color=color, fontsize=10, fontweight="bold", va="bottom")
        axes.text(1.02, row + 0.04, reason, color=theme.foreground, fontsize=8.5, va="top")
    label = axes.text(0, -0.62, "margin", color=theme.foreground, fontsize=8.5, ha="center", va="center")
    label.set_bbox({"facecolor": theme.grid, "edgecolor": "none", "pad": 1})
    axes.set_xlim(-0.9, 2.35)
    axes.set_ylim(len(CASES) - 0.4, -0.9)
    axes.set_yticks([])
    axes.xaxis.set_major_locator(FixedLocator([-0.8, -0.4, -MARGIN, 0, MARGIN, 0.4, 0.8]))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:+.1f}" if value else "0")
    axes.xaxis.label.set(x=0.28)
    axes.spines["left"].set_visible(False)
    axes.spines["bottom"].set_bounds(-0.8, 0.8)
    return figure


def main() -> None:
    folder = Path(__file__).resolve().parent
    for suffix, theme in (("", LIGHT), ("-dark", DARK)):
        (folder / f"four-verdicts{suffix}.svg").write_bytes(render(draw(theme), "svg"))


if __name__ == "__main__":
    main()
