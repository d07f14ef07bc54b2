"""Rate response: metrics against the dropout rate, where a comparison varies one."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

from matplotlib.figure import Figure

from dropout_lab.comparison.results import Comparison
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
from dropout_lab.site_params import is_field, logged_rates

COMPARED = ("model.", "training.", "data.")
MIN_RATES = 3
MAX_PANELS = 3


@dataclass(frozen=True, kw_only=True)
class RatePoint:
    """One condition: its dropout rate and the metric's value at each of its seeds."""

    condition: str
    dropout_rate: float
    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean over the seeds."""
        return sum(self.values) / len(self.values)


@dataclass(frozen=True, kw_only=True)
class RateResponse:
    """What a rate-response plot shows.

    Attributes:
        site: Whose rate varies: a site's name, or ``all sites``.
        points: For each metric the conditions in order of rate.
    """

    site: str
    points: Mapping[str, tuple[RatePoint, ...]]


def rate_response(comparison: Comparison) -> RateResponse | None:
    """Return the metrics by rate; None unless 3 or more rates differ at one site, or at all sites alike.

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
    if all(len(set(by_site.values())) == 1 for by_site in rates.values()) and len(sites) > 1:
        site, by_condition = (
            "all sites",
            {condition: by_site[sites[0]] for condition, by_site in rates.items()},
        )
    elif len(varying) == 1:
        site, by_condition = (
            varying[0],
            {condition: by_site[varying[0]] for condition, by_site in rates.items()},
        )
    else:
        return None
    if len(set(by_condition.values())) < MIN_RATES:
        return None
    points = {}
    for metric in comparison.metrics:
        found = []
        for condition, rate in sorted(by_condition.items(), key=lambda item: item[1]):
            values = tuple(v for v in comparison.summary(condition, metric).values.values() if isfinite(v))
            if values:
                found.append(RatePoint(condition=condition, dropout_rate=rate, values=values))
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
    """Draw the mean of the first metrics against the rate, with a small dot for each seed."""
    shown = list(data.points.items())[:MAX_PANELS]
    figure = new_figure(2.2 * len(shown) + 0.2, theme)
    all_axes = figure.subplots(len(shown), 1, squeeze=False, sharex=True)[:, 0]
    for index, (axes, (metric, points)) in enumerate(zip(all_axes, shown, strict=True)):
        # Colours stand for conditions in all other plots, so metrics have none.
        color = theme.foreground
        rates = [point.dropout_rate for point in points]
        axes.plot(rates, [point.mean for point in points], color=color, marker="o", markersize=5)
        for point in points:
            axes.plot(
                [point.dropout_rate] * len(point.values), point.values,
                linestyle="", marker=".", markersize=4, color=color, alpha=0.55,
            )  # fmt: skip
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
