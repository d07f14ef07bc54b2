"""Critical difference plot: mean ranks of conditions, with bars over those that are not told apart.

Source: Demsar 2006, https://jmlr.org/papers/v7/demsar06a.html.
"""

from matplotlib.figure import Figure

from dropout_lab.comparison.pairwise import AllPairs
from dropout_lab.plotting.style import LIGHT, Theme, new_figure, plain, series_style, style_axes


def draw_critical_difference(found: AllPairs, theme: Theme = LIGHT) -> Figure:
    """Draw one row per condition, best first, and one bar per group of similar conditions below them."""
    num_rows = len(found.conditions)
    figure = new_figure(1.2 + 0.3 * num_rows + 0.14 * len(found.groups), theme)
    axes = figure.subplots()
    for row, condition in enumerate(found.conditions):
        color, marker = series_style(row, theme)
        rank = found.mean_ranks[condition]
        axes.hlines(row, 1, rank, color=theme.grid, linewidth=1.2)
        axes.plot(rank, row, marker=marker, markersize=7, color=color, linestyle="")
    for index, group in enumerate(found.groups):
        ranks = [found.mean_ranks[condition] for condition in group]
        level = num_rows - 0.3 + 0.45 * index
        axes.hlines(level, min(ranks), max(ranks), color=theme.foreground, linewidth=3)
    style_axes(
        axes,
        theme,
        title=f"Mean ranks over {found.num_seeds} seeds",
        xlabel=f"mean rank (1 = best); critical difference {found.critical_difference:.2f}",
        ylabel="",
    )
    axes.set_yticks(range(num_rows), [plain(condition, 18) for condition in found.conditions])
    axes.set_ylim(num_rows + 0.45 * len(found.groups), -0.6)
    axes.set_xlim(0.8, num_rows + 0.2)
    axes.grid(visible=False, axis="y")
    return figure
