"""Values that the trials of a search may have, and combinations of them to check before any is trained."""

import itertools
import math
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pydantic import JsonValue

from dropout_lab.spec.expectations import takes_fractions
from dropout_lab.spec.grid import nested_settings, setting_location
from dropout_lab.spec.search import Range, SearchSpec, Values
from dropout_lab.spec.settings import Settings

MAX_CHECKED = 500
"""Combinations up to which all are checked."""


def trial_settings(values: Mapping[str, Any]) -> Settings:
    """Return what a trial changes in the settings of its spec.

    Args:
        values: Values by field, such as ``{"training.epochs": 5}``.

    Raises:
        ValidationError: If a value is not allowed.
    """
    return Settings.model_validate(nested_settings(values))


def takes_integers(key: str, values: Range) -> bool:
    """Return whether a field of the space takes only the integers of its range."""
    return values.is_integer and not takes_fractions(setting_location(key))


def listed_values(key: str, values: Values) -> tuple[JsonValue, ...]:
    """Return the values that a list has, and both ends of a range as trials would get them."""
    if not isinstance(values, Range):
        return values
    ends = values.low, values.high
    return ends if takes_integers(key, values) else tuple(map(float, ends))


def combinations(
    search: SearchSpec, keys: Collection[str], most: int = MAX_CHECKED
) -> Iterator[dict[str, JsonValue]]:
    """Yield values of trials to check: all combinations, or all of each two fields if there are too many.

    Of numbers the lowest and the highest stand for those between them.

    Args:
        search: The search.
        keys: Fields to combine.
        most: Combinations that are not too many; of pairs, up to four times as many.
    """
    values = {key: _ends(listed_values(key, search.space[key])) for key in search.space if key in keys}
    if math.prod(map(len, values.values())) <= most:
        for chosen in itertools.product(*values.values()):
            yield dict(zip(values, chosen, strict=True))
        return
    first = {key: each[0] for key, each in values.items()}
    pairs = (
        first | {one: value, other: other_value}
        for one, other in itertools.combinations(values, 2)
        for value, other_value in itertools.product(values[one], values[other])
    )
    yield from itertools.islice(pairs, 4 * most)


def _ends(values: tuple[JsonValue, ...]) -> tuple[JsonValue, ...]:
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    others = [value for value in values if value not in numbers or isinstance(value, bool)]
    return (*dict.fromkeys((min(numbers), max(numbers)) if numbers else ()), *others)
