"""Expand the grid of a spec into named conditions, beside those that are written by hand.

Every combination of the values of all fields is one condition. The fields under ``zip`` take their values
together: the first ones, then the second ones, and so on.
"""

import itertools
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from dropout_lab.spec.rates import site_location
from dropout_lab.spec.yaml_source import Location, YamlSource, format_location, printable

GRID, ZIP, CONDITIONS = "grid", "zip", "conditions"
MAX_CONDITIONS = 100
MAX_TEXT = 100
DROPOUT = ("model", "dropout")
"""Location of the rates in the settings; a site below it may have dots in its name."""

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9.+-]+")
_A_LIST = "a list of values"
_A_MAPPING = "a mapping of fields, such as training.epochs, to lists of values"

Sources = Mapping[Location, YamlSource]
Problem = tuple[Location, str]


@dataclass
class GridSource(YamlSource):
    """The place in the grid that each setting of a condition comes from.

    Attributes:
        places: Location in the spec, such as ``("grid", "training.epochs")``, by location in the settings.
    """

    places: dict[Location, Location] = field(default_factory=dict)

    def place(self, setting: Location) -> Location:
        """Return the location in the spec of the field that set `setting`, or something above or below it."""
        for own, place in self.places.items():
            shorter = min(len(own), len(setting))
            if own[:shorter] == setting[:shorter]:
                return place
        return (GRID,)


@dataclass(frozen=True)
class _Axis:
    """Fields of the grid that take their values together; one field, or those under ``zip``."""

    fields: tuple[str, ...]
    values: tuple[tuple[Any, ...], ...]


def setting_location(key: str) -> Location:
    """Return the location of the setting that a dotted key names, with the name of a site in one part."""
    location = tuple(part.strip() for part in key.split("."))
    if location[: len(DROPOUT)] == DROPOUT:
        return (*DROPOUT, *site_location(location[len(DROPOUT) :]))
    return location


def expand_grid(data: Mapping[str, Any], sources: Sources) -> tuple[dict[str, Any], Sources, list[Problem]]:
    """Return `data` with the conditions of its grid in place of the grid.

    Args:
        data: A spec as plain data, with a grid.
        sources: Where its values come from.

    Returns:
        The data, the sources with those of the new conditions, and what is wrong with the grid.
    """
    rest = {key: value for key, value in data.items() if key != GRID}
    axes, problems = _axes(data[GRID])
    by_hand = rest.get(CONDITIONS)
    by_hand = dict(by_hand) if isinstance(by_hand, Mapping) else {}
    count = math.prod(len(axis.values) for axis in axes) + len(by_hand)
    if not problems and count > MAX_CONDITIONS:
        problems.append(((GRID,), f"too many conditions: {count:,} (allowed: {MAX_CONDITIONS})"))
    if problems:
        return rest, sources, problems
    found, origins = dict(by_hand), dict(sources)
    labels = short_labels([name for axis in axes for name in axis.fields])
    for combination in itertools.product(*(axis.values for axis in axes)):
        values = {
            key: value
            for axis, part in zip(axes, combination, strict=True)
            for key, value in zip(axis.fields, part, strict=True)
        }
        name = "_".join(f"{labels[key]}-{_text(value)}" for key, value in values.items())
        if name in found:
            what = "a condition written by hand" if name in by_hand else "another combination"
            problems.append(((GRID,), f"the name {name!r} is that of {what}, too"))
        found[name] = nested_settings(values)
        origins[CONDITIONS, name] = GridSource("grid", places=_places(axes))
    return {**rest, CONDITIONS: found}, origins, list(dict.fromkeys(problems))


def _axes(grid: Any) -> tuple[list[_Axis], list[Problem]]:
    if not isinstance(grid, Mapping) or not grid:
        received = "empty" if not grid else "not a mapping"
        return [], [((GRID,), f"{received} (allowed: {_A_MAPPING})")]
    axes: list[_Axis] = []
    problems: list[Problem] = []
    for key, values in grid.items():
        if key != ZIP:
            problems += _values_problems((GRID, key), values)
            axes.append(_Axis((key,), tuple((value,) for value in _listed(values))))
            continue
        if not isinstance(values, Mapping) or len(values) < 2:
            problems.append(((GRID, ZIP), "not a mapping of two or more fields to lists of equal length"))
            continue
        for part, each in values.items():
            problems += _values_problems((GRID, ZIP, part), each, may_repeat=True)
        lengths = {part: len(_listed(each)) for part, each in values.items()}
        if len(set(lengths.values())) > 1:
            received = ", ".join(f"{printable(str(part))} {length}" for part, length in lengths.items())
            problems.append(((GRID, ZIP), f"lists of different lengths: {received}"))
            continue
        axes.append(_Axis(tuple(values), tuple(zip(*map(_listed, values.values()), strict=True))))
    places = _places(axes)
    if not problems and len(places) < sum(len(axis.fields) for axis in axes):
        problems.append(((GRID, ZIP), "a field is listed twice"))
    for (one, place), (other, other_place) in itertools.permutations(places.items(), 2):
        if len(one) > len(other) and one[: len(other)] == other:
            problems.append((place, f"part of {format_location(other_place)}, which is listed too"))
    return axes, problems


def _values_problems(place: Location, values: Any, *, may_repeat: bool = False) -> Iterator[Problem]:
    if not isinstance(values, list) or not values:
        received = "empty list" if values == [] else f"not a list: {_text(values)}"
        yield place, f"{received} (allowed: {_A_LIST})"
    elif not may_repeat:
        texts = [_text(value) for value in values]
        if repeated := [text for number, text in enumerate(texts) if text in texts[:number]]:
            yield place, f"duplicate value: {repeated[0]}"


def _listed(values: Any) -> list[Any]:
    return values if isinstance(values, list) else []


def _places(axes: list[_Axis]) -> dict[Location, Location]:
    return {
        setting_location(key): (GRID, key) if len(axis.fields) == 1 else (GRID, ZIP, key)
        for axis in axes
        for key in axis.fields
    }


def nested_settings(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings by dotted key as a condition of a spec has them."""
    settings: dict[str, Any] = {}
    for key, value in values.items():
        *parents, last = setting_location(key)
        inner = settings
        for parent in parents:
            inner = inner.setdefault(str(parent), {})
        inner[str(last)] = value
    return settings


def short_labels(keys: list[str]) -> dict[str, str]:
    """Return the shortest ending of each key that no other key has, as it is written in names."""
    labels = {}
    for key in keys:
        parts = key.split(".")
        endings = (".".join(parts[-length:]) for length in range(1, len(parts) + 1))
        others = [other for other in keys if other != key]
        free = (
            ending
            for ending in endings
            if not any(other == ending or other.endswith(f".{ending}") for other in others)
        )
        labels[key] = re.sub(r"[^A-Za-z0-9._+-]+", "-", next(free, key)).strip("-.") or "all"
    return labels


def _text(value: Any) -> str:
    """Return a value as it is written in names."""
    if isinstance(value, Mapping):
        text = "+".join(f"{key}-{_text(part)}" for key, part in value.items())
    elif isinstance(value, list):
        text = "+".join(map(_text, value))
    elif isinstance(value, float):
        text = f"{value:.10g}"
    else:
        text = "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return _NOT_IN_NAMES.sub("-", text)[:MAX_TEXT] or "empty"
