"""Dropout of sites in the settings of a run as they are logged: ``model.dropout.SITE`` and what is below."""

from collections.abc import Mapping
from typing import Final

PREFIX: Final = "model.dropout."
FIELDS: Final = ("kind", "block_size", "temperature", "length_scale", "schedule")
"""Fields of a site besides its rate, each logged as ``model.dropout.SITE.FIELD`` if it is set."""

STANDARD: Final = "standard"
"""Kind of built-in sites for which none is logged."""


def is_field(key: str, field: str) -> bool:
    """Return whether a logged setting is `field` of a site: its rate, its kind, or a part of another one."""
    named = next((part for part in key.split(".") if part in FIELDS), "rate")
    return key.startswith(PREFIX) and named == field


def logged_rates(params: Mapping[str, str]) -> dict[str, str]:
    """Return the rate of each site, as logged.

    Args:
        params: Flattened settings, such as ``{"model.dropout.conv1": "0.2"}``.
    """
    return {key.removeprefix(PREFIX): value for key, value in params.items() if is_field(key, "rate")}


def logged_kinds(params: Mapping[str, str]) -> dict[str, str]:
    """Return the kind of each site that has another than the network is built with."""
    kinds = {key: value for key, value in params.items() if is_field(key, "kind")}
    return {key.removeprefix(PREFIX).removesuffix(".kind"): value for key, value in kinds.items()}


def logged_schedules(params: Mapping[str, str]) -> dict[str, str]:
    """Return the shape of the schedule of each site whose rate changes during training."""
    end = ".schedule.shape"
    shapes = {key: value for key, value in params.items() if is_field(key, "schedule") and key.endswith(end)}
    return {key.removeprefix(PREFIX).removesuffix(end): value for key, value in shapes.items()}
