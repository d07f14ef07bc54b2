"""Heat map of a grid: the difference from the reference for each combination of two settings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from dropout_lab.comparison.confounds import UNUSED
from dropout_lab.comparison.results import Comparison
from dropout_lab.evaluation.metrics import format_difference
from dropout_lab.plotting.metric_axes import format_ticks, metric_label
from dropout_lab.plotting.rate_response import compared_settings
from dropout_lab.plotting.style import (
    BLACK,
    LIGHT,
    WHITE,
    Theme,
    default_settings,
    new_figure,
    plain,
    style_axes,
)
from dropout_lab.site_params import PREFIX, STANDARD, is_field

ALL_RATES = PREFIX.rstrip(".")
SEPARATOR = " / "
MAX_VALUES = 12
"""Most values of a setting that are shown; more would be too small to read."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One combination.

    Attributes:
        mean_difference: From the reference, whose own cell has 0.
        word: The verdict, or ``reference``.
    """

    condition: str
    mean_difference: float
    word: str


@dataclass(frozen=True, kw_only=True)
class HeatMap:
    """What a heat map shows.

    Attributes:
        settings: Names of the settings of rows and columns.
        values: Values of rows and columns, in order.
        cells: Cells by index of row and column; combinations that were not trained are missing.
    """

    metric: str
    settings: tuple[str, str]
    values: tuple[tuple[str, ...], tuple[str, ...]]
    cells: Mapping[tuple[int, int], Cell]


def heat_map(comparison: Comparison) -> HeatMap | None:
    """Return the primary metric by two settings; None unless exactly two differ, and not only together.

    Settings that change only together with another one, such as epochs with the number of images, are shown
    with that one.
    """
    by_condition = {run.condition: run.spec for run in reversed(comparison.runs)}
    specs = _settings({name: by_condition[name] for name in comparison.conditions if name in by_condition})
    keys = list(dict.fromkeys(key for spec in specs.values() for key in spec))
    specs = {name: {key: UNUSED.get(key, "") for key in keys} | spec for name, spec in specs.items()}
    varying = [key for key in keys if len({spec[key] for spec in specs.values()}) > 1]
    groups = _linked(varying, list(specs.values()))
    if len(groups) != 2:
        return None
    shown = {
        name: tuple(SEPARATOR.join(spec[key] or "default" for key in keys) for keys in groups)
        for name, spec in specs.items()
    }
    rows, columns = (_ordered({own[side] for own in shown.values()}) for side in (0, 1))
    cells: dict[tuple[int, int], Cell] = {}
    for condition, own in shown.items():
        place = rows.index(own[0]), columns.index(own[1])
        if place in cells:
            return None
        cells[place] = _cell(comparison, condition)
    if len(cells) <= max(len(rows), len(columns)) or max(len(rows), len(columns)) > MAX_VALUES:
        return None
    return HeatMap(
        metric=comparison.primary,
        settings=(SEPARATOR.join(groups[0]), SEPARATOR.join(groups[1])),
        values=(tuple(rows), tuple(columns)),
        cells=cells,
    )


def _linked(keys: Sequence[str], specs: Sequence[Mapping[str, str]]) -> list[list[str]]:
    """Return the settings in groups: one value of a setting has one value of all others of its group."""
    groups: list[list[str]] = []
    for key in keys:
        for group in groups:
            pairs = {(spec[group[0]], spec[key]) for spec in specs}
            if len(pairs) == len({one for one, _ in pairs}) == len({other for _, other in pairs}):
                group.append(key)
                break
        else:
            groups.append([key])
    return groups


def _cell(comparison: Comparison, condition: str) -> Cell:
    if condition == comparison.reference:
        return Cell(condition=condition, mean_difference=0.0, word="reference")
    difference = comparison.difference(condition, comparison.primary)
    word = comparison.verdict(condition, comparison.primary).word.value
    return Cell(condition=condition, mean_difference=difference.mean_difference, word=word)


def _settings(specs: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """Return the settings by condition, with one rate, and one kind, if all sites have the same in each."""
    found = {condition: compared_settings(spec) for condition, spec in specs.items()}
    kinds = {key for settings in found.values() for key in settings if is_field(key, "kind")}
    found = {name: dict.fromkeys(kinds, STANDARD) | settings for name, settings in found.items()}
    for field, key in (("rate", ALL_RATES), ("kind", f"{ALL_RATES}.kind")):
        at_sites = {
            condition: {key: value for key, value in settings.items() if is_field(key, field)}
            for condition, settings in found.items()
        }
        if all(len(by_site) > 1 and len(set(by_site.values())) == 1 for by_site in at_sites.values()):
            found = {
                condition: {
                    **{key: value for key, value in settings.items() if key not in at_sites[condition]},
                    key: next(iter(at_sites[condition].values())),
                }
                for condition, settings in found.items()
            }
    return found


def _ordered(values: set[str]) -> list[str]:
    """Return values in order of size if they begin with numbers, else of the alphabet; none comes last."""

    def key(value: str) -> tuple[int, float, str]:
        try:
            return 0, float(value.partition(SEPARATOR)[0]), value
        except ValueError:
            return (2 if value.startswith("default") else 1), 0.0, value

    return sorted(values, key=key)


@default_settings()
def draw_heat_map(data: HeatMap, theme: Theme = LIGHT) -> Figure:
    """Draw the mean difference as color, with its number and the verdict in each cell."""
    rows, columns = data.values
    grid = np.full((len(rows), len(columns)), np.nan)
    for place, cell in data.cells.items():
        grid[place] = cell.mean_difference
    most = float(np.nanmax(np.abs(grid))) or 1.0
    figure = new_figure(1.3 + 0.5 * len(rows), theme, width=max(4.4, 1.6 + 0.95 * len(columns)))
    axes = figure.add_subplot()
    image = axes.imshow(grid, cmap=theme.diverging, vmin=-most, vmax=most, aspect="auto")
    style_axes(
        axes,
        theme,
        title="Difference by settings",
        xlabel=plain(data.settings[1]),
        ylabel=plain(data.settings[0]),
    )
    axes.grid(visible=False)
    axes.set_xticks(range(len(columns)), [plain(value, 14) for value in columns])
    axes.set_yticks(range(len(rows)), [plain(value, 14) for value in rows])
    for (row, column), cell in data.cells.items():
        red, green, blue, _ = image.to_rgba(np.array([cell.mean_difference]))[0]
        is_dark = 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.45
        number = "" if cell.word == "reference" else f"{_number(data.metric, cell.mean_difference)}\n"
        axes.text(
            column, row, f"{number}{cell.word}", ha="center", va="center", fontsize=7.5,
            color=WHITE if is_dark else BLACK,
        )  # fmt: skip
    bar = figure.colorbar(image, ax=axes, shrink=0.9)
    format_ticks(bar.ax.yaxis, data.metric)
    bar.set_label(metric_label(data.metric, difference=True), fontsize=9, color=theme.foreground)
    bar.ax.tick_params(labelsize=8.5, colors=theme.foreground)
    bar.outline.set_visible(False)
    return figure


def _number(metric: str, difference: float) -> str:
    """Return a difference without its unit, which stands beside the scale of colors."""
    return format_difference(metric, difference).partition(" ")[0]
