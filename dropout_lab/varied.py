"""The settings that the conditions of a spec differ in, by the params that runs log."""

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import combinations
from typing import Final

DROPOUT: Final = "model.dropout*"
"""Pattern of the settings of dropout, which are one setting."""

PARTS: Final[Mapping[str, Sequence[str]]] = {
    "model.network": ("model.*",),
    "data.dataset": ("data.*",),
    "training.optimizer": ("training.momentum", "training.nesterov"),
}
"""Settings that decide which others there are, and patterns of these."""


def varying_settings(conditions: Sequence[Mapping[str, str]]) -> tuple[str, ...]:
    """Return patterns of the settings that conditions differ in.

    A part with fields of its own is one setting: ``training.early_stopping``.

    Args:
        conditions: The params of each condition.
    """
    keys = dict.fromkeys(key for params in conditions for key in params)
    return _settings(key for key in keys if len({params.get(key) for params in conditions}) > 1)


def confounded_settings(conditions: Sequence[Mapping[str, str]]) -> tuple[str, ...]:
    """Return those of `varying_settings` that no two conditions differ in alone.

    Args:
        conditions: The params of each condition.
    """
    alone: set[str] = set()
    changed: dict[str, None] = {}
    for first, second in combinations(conditions, 2):
        keys = [key for key in {**first, **second} if first.get(key) != second.get(key)]
        found = changed_settings(keys)
        changed |= dict.fromkeys(found)
        if len(found) == 1:
            alone.update(found)
    return tuple(one for one in changed if one not in alone)


def changed_settings(keys: Iterable[str]) -> tuple[str, ...]:
    """Return the settings that params belong to, without those that follow from the choice of another."""
    settings = _settings(keys)
    following = [part for whole in settings for part in PARTS.get(whole, ())]
    return tuple(
        one
        for one in settings
        if one in (*PARTS, DROPOUT) or not any(fnmatchcase(one, part) for part in following)
    )


def _settings(keys: Iterable[str]) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(DROPOUT if fnmatchcase(key, DROPOUT) else ".".join(key.split(".")[:2]) for key in keys)
    )
