"""The dropout rate of each site by epoch, below the learning curves of a run whose rates change."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes

from dropout_lab.plotting.style import (
    Theme,
    percent,
    plain,
    series_style,
    style_axes,
    style_legend,
    whole_numbers,
)

RATES_HEIGHT = 1.6
"""Height of the panel in inches."""


def rate_curves(epochs: Sequence[Mapping[str, float]]) -> dict[str, tuple[float, ...]]:
    """Return the rates by epoch, by the names of the sites that share them; empty if none changes.

    Args:
        epochs: Rate of each site, by epoch from 1.
    """
    curves = {
        site: tuple(rates[site] for rates in epochs)
        for site in (epochs[0] if epochs else ())
        if all(site in rates for rates in epochs)
    }
    if all(len(set(curve)) == 1 for curve in curves.values()):
        return {}
    shared: dict[tuple[float, ...], list[str]] = {}
    for site, curve in curves.items():
        shared.setdefault(curve, []).append(site)
    return {", ".join(sites): curve for curve, sites in shared.items()}


def draw_rates(axes: Axes, rates: Mapping[str, Sequence[float]], theme: Theme) -> None:
    """Draw the rates of sites by epoch, from `rate_curves`."""
    for index, (sites, curve) in enumerate(rates.items()):
        color, marker = series_style(index, theme)
        epochs = range(1, len(curve) + 1)
        axes.plot(epochs, curve, color=color, marker=marker, markersize=4, linewidth=1.5, label=plain(sites))
    style_axes(axes, theme, title="Dropout rate", xlabel="epoch", ylabel="rate (%)")
    axes.yaxis.set_major_formatter(percent())
    axes.xaxis.set_major_locator(whole_numbers())
    style_legend(axes.legend(fontsize=8), theme)
