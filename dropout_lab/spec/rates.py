"""Dropout by site: names and patterns, and what they mean for the sites of a network."""

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, ConfigDict, Discriminator, PlainValidator, Tag
from pydantic_core import PydanticCustomError

from dropout_lab.errors import did_you_mean
from dropout_lab.spec.kinds import (
    AS_BUILT,
    FIELDS,
    Rate,
    SiteDropout,
    SiteRate,
    SiteSetting,
    check_rate,
    combine,
    complete,
    is_off,
    is_rate,
    plain_setting,
)

ALL_SITES: Final = "*"
"""Pattern that one setting for all sites stands for."""

ANY_SETTING: Final = (
    "a number at least 0 and below 1, as_built, or a mapping such as {kind: spatial, rate: 0.2}"
)
BARE_RATE, SITE_FIELDS = "rate of a site", "fields of a site"
"""How errors tell the two forms of a setting apart; no part of a location in the file."""


def _check_bare_rate(value: Any) -> SiteRate:
    if not is_rate(value):
        raise PydanticCustomError("rate", ANY_SETTING)
    return check_rate(value)


def _form(value: Any) -> str:
    return SITE_FIELDS if isinstance(value, Mapping | SiteDropout) else BARE_RATE


def to_rates(value: Any) -> Any:
    """Return settings by name or pattern: one setting stands for all sites.

    A mapping with a field of `SiteDropout` is the setting of a site; other mappings name parts of layers:
    ``{lstm: {dropout: 0.1}}`` means ``{lstm.dropout: 0.1}``.
    """
    if is_rate(value) or isinstance(value, SiteDropout):
        return {ALL_SITES: value}
    if not isinstance(value, Mapping):
        allowed = "a number at least 0 and below 1, as_built, or a mapping of sites to rates"
        raise PydanticCustomError("rate", allowed)
    of_all = {name: field for name, field in value.items() if name in FIELDS}
    settings: dict[str, Any] = {ALL_SITES: of_all} if of_all else {}
    for name, setting in value.items():
        if name in FIELDS:
            continue
        if isinstance(setting, Mapping) and not FIELDS.intersection(setting):
            settings |= {f"{name}.{part}": one for part, one in setting.items()}
        elif name == ALL_SITES and of_all:
            settings[name] = combine(setting, of_all)
        else:
            settings[name] = setting
    return settings


def site_location(parts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the parts of a dotted key below the rates, with the name of the site in one part.

    The name ends at the first field of a setting: ``lstm.dropout.kind`` is the kind at ``lstm.dropout``.
    """
    end = next((number for number, part in enumerate(parts) if part in FIELDS), len(parts))
    name = ".".join(parts[:end])
    return (*([name] if name else []), *parts[end:])


class AllSites(SiteDropout):
    """Dropout of all sites, and of sites by name or pattern."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[
        str,
        Rate | Literal["as_built"] | SiteDropout | Mapping[str, Rate | Literal["as_built"] | SiteDropout],
    ]


Rates = Annotated[
    Mapping[
        str,
        Annotated[
            Annotated[SiteRate, PlainValidator(_check_bare_rate), Tag(BARE_RATE)]
            | Annotated[SiteDropout, Tag(SITE_FIELDS)],
            Discriminator(_form),
        ],
    ],
    BeforeValidator(to_rates, json_schema_input_type=Rate | Literal["as_built"] | AllSites),
]
"""Settings by the name of a site, or by a pattern such as ``block*_drop``; most are bare rates."""


def covers(pattern: str, name: str) -> bool:
    """Return whether `pattern` is `name`, or matches it."""
    return pattern == name or fnmatchcase(name, pattern)


def merge_rates(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings `base` as `change` changes them, both in plain form.

    The fields of a mapping change what its pattern matches. A bare rate replaces it, kind and schedule
    included, whether `base` states these for the same sites or for more.
    """
    merged = dict(base)
    for name, setting in change.items():
        for covered in [one for one in merged if one in base and covers(name, one)]:
            if isinstance(setting, Mapping):
                merged[covered] = combine(merged[covered], setting)
            else:
                del merged[covered]
    replaces_schedule = _is_scheduled(base[name] for name in merged) and not _is_scheduled(change.values())
    for name, setting in change.items():
        if name not in merged:
            is_whole = replaces_schedule and not isinstance(setting, Mapping)
            merged[name] = {"rate": setting, "schedule": "constant"} if is_whole else setting
    return merged


def _is_scheduled(settings: Iterable[Any]) -> bool:
    return any(isinstance(setting, Mapping) and "schedule" in setting for setting in settings)


def overlap(first: str, second: str) -> bool:
    """Return whether one of two names or patterns covers the other."""
    return covers(first, second) or covers(second, first)


def unknown_sites(rates: Mapping[str, SiteSetting], sites: Sequence[str]) -> list[str]:
    """Return the names and patterns in `rates` that fit none of `sites`; no dropout anywhere always fits."""
    return [
        name
        for name, setting in rates.items()
        if not any(fnmatchcase(site, name) for site in sites) and not (name == ALL_SITES and is_off(setting))
    ]


def is_pattern(name: str) -> bool:
    """Return whether `name` may match other names."""
    return any(char in name for char in "*?[")


def unknown_site(name: str, sites: Sequence[str]) -> str:
    """Return how to say that `name` fits none of `sites`."""
    if not sites:
        return "the network has no dropout sites"
    what = "pattern matches no site" if is_pattern(name) else "unknown site"
    known = [*sites, *(() if is_pattern(name) else FIELDS)]
    nearest = did_you_mean(name, known) or f" (allowed: {', '.join(sites)})"
    return f"{what}: {name!r}{nearest}"


def site_settings(
    rates: Mapping[str, SiteSetting], as_built: Mapping[str, float]
) -> dict[str, float | SiteDropout]:
    """Return the complete setting of each site; a bare rate where there is nothing else.

    Each pattern that matches a site changes what those before it give, and the name of the site comes last.

    Args:
        rates: Settings by name or pattern.
        as_built: The rate of each site as the network is built, from the input on.
    """

    def setting(site: str) -> Any:
        patterns = [name for name in rates if name != site and fnmatchcase(site, name)]
        found: Any = AS_BUILT
        for name in [*patterns, *([site] if site in rates else [])]:
            found = combine(found, plain_setting(rates[name]))
        return found

    return {site: complete(setting(site), built) for site, built in as_built.items()}
