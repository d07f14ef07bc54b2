"""Words for what is wrong with a spec: ``file:line: [location] what is wrong: value (allowed: ...)``."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic_core import ErrorDetails

from dropout_lab.errors import did_you_mean
from dropout_lab.spec.expectations import NAME_IN_WORDS, choices_at, expected_at, valid_keys
from dropout_lab.spec.grid import DROPOUT, GridSource
from dropout_lab.spec.kinds import FIELDS
from dropout_lab.spec.models import FIXED_SEEDS, SEQUENTIAL_SEEDS
from dropout_lab.spec.rates import ALL_SITES, BARE_RATE, SITE_FIELDS
from dropout_lab.spec.search import LISTED, RANGE
from dropout_lab.spec.yaml_source import Location, YamlSource, format_location, printable

Sources = Mapping[Location, YamlSource]
"""The file at ``()``, and the override that set the value at each other location."""

TYPES_WORDED_BY_PYDANTIC = ("validation", "rate", "network", "dataset", "number")
FORMS = (FIXED_SEEDS, SEQUENTIAL_SEEDS, BARE_RATE, SITE_FIELDS, LISTED, RANGE)
"""Parts of pydantic's locations that name one of two forms of a value."""
KEY_OF = "[key]"
"""Ends pydantic's location of a mapping's key, as opposed to the value under it."""


def validation_problem(details: ErrorDetails, sources: Sources) -> str:
    """Return the line that reports one of pydantic's errors."""
    location = in_file(tuple(part for part in details["loc"] if part not in FORMS))
    kind, value = details["type"], details["input"]
    if kind == "extra_forbidden":
        key = printable(str(location[-1]))
        problem = f"unknown key {key!r}{_nearest_key(key, location[:-1])}"
    elif kind == "does_not_apply":
        location, problem = in_file((*location, details["ctx"]["field"])), details["msg"]
    elif location[-1] == KEY_OF:
        location = location[:-1]
        problem = f"invalid name: {describe(value)} (allowed: {NAME_IN_WORDS})"
    elif kind == "missing" and not isinstance(location[-1], int):
        problem = "missing required key"
    elif kind in ("missing", "too_long", "too_short"):
        location = location[:-1] if kind == "missing" else location
        problem = f"invalid length: {len(value)} (allowed: {expected_at(location)})"
    elif value is None and location == ("conditions",):
        problem = "no conditions: list at least one, or remove the key"
    elif value is None and location[:-1] == ("conditions",):
        problem = f"empty condition: write `{printable(str(location[-1]))}: {{}}` if it changes nothing"
    else:
        allowed = details["msg"] if kind in TYPES_WORDED_BY_PYDANTIC else expected_at(location)
        nearest = did_you_mean(str(value), choices_at(location)) or _nearest_field(location)
        is_text = isinstance(value, str) and not kind.startswith(("string", "literal"))
        received = describe(value) + (" (text)" if is_text else "")
        problem = f"invalid value: {received}{nearest} (allowed: {allowed})"
    return line(location, sources, problem)


def in_file(location: Location) -> Location:
    """Return `location` as files have it: the fields of dropout at all sites stand beside the sites."""
    for start in range(len(location) - len(DROPOUT) - 1):
        end = start + len(DROPOUT)
        if location[start:end] == DROPOUT and location[end] == ALL_SITES and location[end + 1] in FIELDS:
            return (*location[:end], *location[end + 1 :])
    return location


def _nearest_field(location: Location) -> str:
    """Return the field of a site that a key in place of a rate may mean."""
    key = str(location[-1]).rpartition(".")[2]
    return did_you_mean(key, FIELDS) if location[-3:-1] == DROPOUT and key not in FIELDS else ""


def _nearest_key(key: str, parent: Location) -> str:
    """Return the key meant, which may belong one level deeper, or all keys of `parent`."""
    keys = valid_keys(parent)
    deeper = [f"{section}.{key}" for section in keys if key in valid_keys((*parent, section))]
    return f" (did you mean {deeper[0]!r}?)" if deeper else _choose(key, keys)


def unknown_name(name: str, names: Iterable[str]) -> str:
    """Return how to say that `name` is none of `names`."""
    return f"unknown condition: {name!r}{_choose(name, names)}"


def _choose(name: str, names: Iterable[str]) -> str:
    """Return the nearest of `names`, or all of them."""
    names = list(names)
    return did_you_mean(name, names) or f" (allowed: {', '.join(names)})"


def line(location: Location, sources: Sources, problem: str) -> str:
    """Prefix `problem` with its place: the override that set it, or the line of the file."""
    for end in range(len(location), 0, -1):
        if isinstance(grid := sources.get(location[:end]), GridSource):
            return line(grid.place(location[end:]), sources, problem)
        if location[:end] in sources:
            return f"{sources[location[:end]].name}: [{format_location(location)}] {problem}"
    for place, source in sources.items():
        if place and place[: len(location)] == location:  # an override below gave it its value
            return f"{source.name}: [{format_location(location)}] {problem}"
    source = sources[()]
    number = f":{source.line(location)}" if source.lines else ""
    return f"{source.name}{number}: [{format_location(location)}] {problem}"


class NoEffect(str):
    """A problem of a field without effect, which it may have with other values of a search.

    Attributes:
        place: The place that begins the line.
    """

    place: str

    def __new__(cls, location: Location, sources: Sources, problem: str) -> "NoEffect":
        """Return the line that `line` returns."""
        text = super().__new__(cls, line(location, sources, problem))
        text.place = line(location, sources, "")
        return text


def describe(value: Any) -> str:
    """Return `value` for a message, on one line."""
    if value is None:
        return "none"
    if isinstance(value, dict | list | tuple):
        return "a mapping" if isinstance(value, dict) else "a list"
    return str(value).lower() if isinstance(value, bool) else printable(repr(value))
