"""Dropout rates by site: names and patterns, and what they mean for the sites of a network."""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, PlainValidator
from pydantic_core import PydanticCustomError

from dropout_lab.errors import did_you_mean

AS_BUILT: Final = "as_built"
"""Word for the rate that the function of a network gives a site."""

ALL_SITES: Final = "*"
"""Pattern that one rate for all sites stands for."""

Rate = Annotated[float, Field(ge=0, lt=1, description="Fraction dropped, in [0, 1).")]
SiteRate = float | Literal["as_built"]


def is_rate(value: Any) -> bool:
    """Return whether `value` is a rate, or ``as_built``."""
    if isinstance(value, int | float):
        return not isinstance(value, bool) and 0 <= value < 1
    return isinstance(value, str) and value == AS_BUILT


def _check_rate(value: Any) -> SiteRate:
    if is_rate(value):
        return AS_BUILT if isinstance(value, str) else float(value)
    raise PydanticCustomError("rate", "a number at least 0 and below 1, or as_built")


def to_rates(value: Any) -> Any:
    """Return rates by name or pattern: one rate stands for all sites.

    A mapping in a mapping names parts of layers: ``{lstm: {dropout: 0.1}}`` means ``{lstm.dropout: 0.1}``.
    """
    if is_rate(value):
        return {ALL_SITES: value}
    if not isinstance(value, Mapping):
        allowed = "a number at least 0 and below 1, as_built, or a mapping of sites to rates"
        raise PydanticCustomError("rate", allowed)
    rates: dict[str, Any] = {}
    for name, rate in value.items():
        if isinstance(rate, Mapping):
            rates |= {f"{name}.{part}": one for part, one in rate.items()}
        else:
            rates[name] = rate
    return rates


Rates = Annotated[
    Mapping[
        str,
        Annotated[SiteRate, PlainValidator(_check_rate, json_schema_input_type=Rate | Literal["as_built"])],
    ],
    BeforeValidator(
        to_rates,
        json_schema_input_type=Rate | Literal["as_built"] | Mapping[str, Rate | Literal["as_built"]],
    ),
]
"""Rates by the name of a site, or by a pattern such as ``block*_drop``."""


def merge_rates(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` as `change` changes it: its patterns replace what they match."""
    kept = {name: rate for name, rate in base.items() if not any(fnmatchcase(name, one) for one in change)}
    return kept | dict(change)


def overlap(first: str, second: str) -> bool:
    """Return whether one of two names or patterns covers the other."""
    return fnmatchcase(first, second) or fnmatchcase(second, first)


def unknown_sites(rates: Mapping[str, SiteRate], sites: Sequence[str]) -> list[str]:
    """Return the names and patterns in `rates` that fit none of `sites`; no dropout anywhere always fits."""
    return [
        name
        for name, rate in rates.items()
        if not any(fnmatchcase(site, name) for site in sites) and not (name == ALL_SITES and rate == 0)
    ]


def unknown_site(name: str, sites: Sequence[str]) -> str:
    """Return how to say that `name` fits none of `sites`."""
    if not sites:
        return "the network has no dropout sites"
    what = "pattern matches no site" if any(char in name for char in "*?[") else "unknown site"
    nearest = did_you_mean(name, sites) or f" (allowed: {', '.join(sites)})"
    return f"{what}: {name!r}{nearest}"


def site_rates(rates: Mapping[str, SiteRate], as_built: Mapping[str, float]) -> dict[str, float]:
    """Return the rate at each site: by its name, else by the last pattern that matches, else as it is built.

    Args:
        rates: Rates by name or pattern.
        as_built: The rate of each site as the network is built, from the input on.
    """

    def rate(site: str, built: float) -> float:
        patterns = [name for name in rates if fnmatchcase(site, name)]
        chosen = rates.get(site, rates[patterns[-1]] if patterns else AS_BUILT)
        return built if chosen == AS_BUILT else float(chosen)

    return {site: rate(site, built) for site, built in as_built.items()}
