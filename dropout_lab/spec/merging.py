"""From a spec to the complete settings of each condition."""

from collections.abc import Mapping
from typing import Any

from dropout_lab.spec.kinds import MERGED
from dropout_lab.spec.models import Spec
from dropout_lab.spec.rates import merge_rates
from dropout_lab.spec.settings import Settings


def condition_settings(spec: Spec) -> dict[str, Settings]:
    """Return the complete settings of each condition of `spec`, in the file's order."""
    return {name: settings.resolved() for name, settings in merged_settings(spec).items()}


def merged_settings(spec: Spec) -> dict[str, Settings]:
    """Return the same with dropout rates by name or pattern, as the spec has them."""
    if not spec.conditions:
        return {spec.name: Settings(**{name: getattr(spec, name) for name in Settings.model_fields})}
    base = spec.model_dump(include=set(Settings.model_fields), exclude_unset=True)
    return {
        name: Settings.model_validate(_merge(base, change.model_dump(exclude_unset=True)), context=MERGED)
        for name, change in spec.conditions.items()
    }


def _merge(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in change.items():
        both_nested = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merge = merge_rates if key == "dropout" else _merge
        merged[key] = merge(merged[key], value) if both_nested else value
    return merged
