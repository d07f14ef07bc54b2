"""The record that a run has of its evaluation: which parts were measured, with which settings."""

import json
from collections.abc import Mapping
from typing import Any

Settings = Mapping[str, Any]


def read_parts(evaluated: str) -> dict[str, Settings]:
    """Return the settings of each part that a run has, by part.

    Args:
        evaluated: The record, as `RunFacts.evaluated`. What a user edited into something else is none.
    """
    try:
        parts = json.loads(evaluated or "{}")
    except ValueError:
        return {}
    if not isinstance(parts, dict):
        return {}
    return {name: settings for name, settings in parts.items() if isinstance(settings, dict)}


def write_parts(parts: Mapping[str, Settings]) -> str:
    """Return the record of `parts`, which `read_parts` reads."""
    return json.dumps({name: dict(settings) for name, settings in parts.items()}, sort_keys=True)


def names_of(measured: Settings | None, key: str) -> list[str]:
    """Return the names that a part was measured for; none where `key` lists no names."""
    names = (measured or {}).get(key)
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def covers(measured: Settings | None, wanted: Settings) -> bool:
    """Return whether what was measured holds what is wanted: all names of a list, else equal values."""
    return (
        measured is not None
        and measured.keys() == wanted.keys()
        and all(
            set(value) <= set(names_of(measured, key)) if isinstance(value, list) else measured[key] == value
            for key, value in wanted.items()
        )
    )
