"""Rate response: metrics against the dropout rate, where a comparison varies one."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite, nan

import numpy as np
from matplotlib.figure import Figure

from dropout_lab.comparison.results import Comparison
from dropout_lab.evaluation.metrics import format_value
from dropout_lab.plotting.metric_axes import format_ticks, metric_label
from dropout_lab.plotting.style import (
    LIGHT,
    Theme,
    default_settings,
    new_figure,
    percent,
    plain,
    style_axes,
)
from dropout_lab.plotting.tooltips import add_tooltips
from dropout_lab.site_params import is_field, logged_rates
from dropout_lab.statistics.difference import paired_t_test

COMPARED = ("model.", "training.", "data.")
RATE_CONFIDENCE = 0.95
"""Level of the band."""
MIN_RATES = 3
MAX_PANELS = 3


@dataclass(frozen=True, kw_only=True)
class RatePoint:
    """One condition: its dropout rate and the metric's value at each of its seeds."""

    condition: str
    dropout_rate: float
    by_seed: Mapping[int, float]

    @property
    def values(self) -> tuple[float, ...]:
        """The values in order of seed."""
        return tuple(self.by_seed.values())

    @property
    def interval(self) -> tuple[float, float]:
        """Confidence interval of the mean (t); both ends the mean if the values do not vary."""
        if len(set(self.values)) < 2:
            return self.mean, self.mean
        return paired_t_test(np.array(self.values)).interval(RATE_CONFIDENCE)

    @property
    def mean(self) -> float:
        """Mean over the seeds."""
        return sum(self.values) / len(self.values)


@dataclass(frozen=True, kw_only=True)
class RateResponse:
    """What a rate-response plot shows.

    Attributes:
        site: Whose rate varies: a site's name, several that have the same rate, or ``all sites``.
        points: For each metric the conditions in order of rate.
    """

    site: str
    points: Mapping[str, tuple[RatePoint, ...]]


def rate_response(comparison: Comparison) -> RateResponse | None:
    """Return the metrics by rate; None unless 3 or more rates differ at one site, or at several alike.

    Only conditions that differ from the reference in nothing but dropout rates are taken.
    """
    specs: dict[str, Mapping[str, str]] = {run.condition: run.spec for run in reversed(comparison.runs)}
    reference = specs[comparison.reference]
    rates = {
        condition: {site: float(value) for site, value in logged_rates(spec).items()}
        for condition, spec in specs.items()
        if _without_rates(spec) == _without_rates(reference)
    }
    sites = sorted({site for by_site in rates.values() for site in by_site})
    varying = [site for site in sites if len({by_site.get(site) for by_site in rates.values()}) > 1]
    if not varying or any(len({by_site.get(site) for site in varying}) > 1 for by_site in rates.values()):
        return None
    site = "all sites" if len(varying) == len(sites) > 1 else ", ".join(varying)
    by_condition = {condition: by_site[varying[0]] for condition, by_site in rates.items()}
    if len(set(by_condition.values())) < MIN_RATES:
        return None
    points = {}
    for metric in comparison.metrics:
        found = []
        for condition, rate in sorted(by_condition.items(), key=lambda item: item[1]):
            values = comparison.summary(condition, metric).values
            by_seed = {seed: value for seed, value in values.items() if isfinite(value)}
            if by_seed:
                found.append(RatePoint(condition=condition, dropout_rate=rate, by_seed=by_seed))
        if found:
            points[metric] = tuple(found)
    return RateResponse(site=site, points=points)


def compared_settings(spec: Mapping[str, str]) -> dict[str, str]:
    """Return the settings of a run that decide its result; those that are resolved elsewhere are left out."""
    return {
        key: value
        for key, value in spec.items()
        if key.startswith(COMPARED) and key not in ("data.folder", "training.engine")
    }


def _without_rates(spec: Mapping[str, str]) -> dict[str, str]:
    return {k: v for k, v in compared_settings(spec).items() if not is_field(k, "rate")}


@default_settings()
def draw_rate_response(data: RateResponse, theme: Theme = LIGHT) -> Figure:
    """Draw the mean of the first metrics by rate, with its interval and a thin line for each seed."""
    shown = list(data.points.items())[:MAX_PANELS]
    figure = new_figure(2.2 * len(shown) + 0.2, theme)
    all_axes = figure.subplots(len(shown), 1, squeeze=False, sharex=True)[:, 0]
    for index, (axes, (metric, points)) in enumerate(zip(all_axes, shown, strict=True)):
        # Colours stand for conditions in all other plots, so metrics have none.
        color = theme.foreground
        rates = [point.dropout_rate for point in points]
        for seed in sorted({seed for point in points for seed in point.by_seed}):
            line = [point.by_seed.get(seed, nan) for point in points]
            axes.plot(rates, line, color=theme.muted, linewidth=0.8, alpha=0.5, zorder=1)
        low, high = zip(*(point.interval for point in points), strict=True)
        axes.fill_between(rates, low, high, color=color, alpha=0.16, linewidth=0)
        (means,) = axes.plot(rates, [point.mean for point in points], color=color, marker="o", markersize=5)
        add_tooltips(
            means,
            [
                f"{one.condition}: {format_value(metric, one.mean)} (mean of {len(one.values)})"
                for one in points
            ],
        )
        seeds = [value for point in points for value in point.values]
        room = 0.08 * (max(seeds) - min(seeds)) or 0.01
        # With 2 seeds a band is 9 standard deviations wide, and would make all lines flat.
        axes.set_ylim(min(seeds) - room, max(seeds) + room)
        is_last = axes is all_axes[-1]
        style_axes(
            axes,
            theme,
            title="Response to the dropout rate" if index == 0 else "",
            xlabel=f"dropout rate, {plain(data.site)} (%)" if is_last else "",
            ylabel=metric_label(metric).replace(" (", "\n("),
        )
        format_ticks(axes.yaxis, metric)
        axes.xaxis.set_major_formatter(percent())
    return figure
