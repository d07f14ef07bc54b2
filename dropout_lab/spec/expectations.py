"""Words for the values allowed at a place of a spec, from the JSON Schema that editors use too."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from dropout_lab.spec.models import Spec
from dropout_lab.spec.yaml_source import Location

_PATTERNS_IN_WORDS = {
    "device": "auto, cpu, gpu, gpu:N or gpus",
    "metric": "a metric name, such as test_loss",
}


NAME_IN_WORDS = "1 to 100 of A-Z a-z 0-9 space . _ + -; the first a letter or digit, the last not a space"
"""The rule for names of specs, conditions and experiments."""


def expected_at(location: Location) -> str:
    """Return the values allowed at `location`, such as ``an integer from 1 to 10,000``."""
    return _in_words(_node_at(location), location)


def valid_keys(location: Location) -> list[str]:
    """Return the keys allowed in the mapping at `location`."""
    return list(_with_properties(_node_at(location)).get("properties", {}))


def takes_fractions(location: Location) -> bool:
    """Return whether a number at `location` may have a fraction; False if the schema does not tell."""
    return any(branch.get("type") == "number" for branch in _branches(_node_at(location)))


def choices_at(location: Location) -> list[str]:
    """Return the words allowed at `location`; empty if it is not a choice of words."""
    return [str(choice) for branch in _branches(_node_at(location)) for choice in branch.get("enum", ())]


@cache
def _schema() -> dict[str, Any]:
    return Spec.model_json_schema()


def _node_at(location: Location) -> Mapping[str, Any]:
    node: Mapping[str, Any] = _schema()
    for part in location:
        node = _child(node, part)
    return _resolved(node)


def _child(node: Mapping[str, Any], part: str | int) -> Mapping[str, Any]:
    found: Mapping[str, Any] = {}
    for branch in sorted(_branches(node), key=lambda one: part in one.get("properties", {})):
        if isinstance(part, int):
            items = branch.get("prefixItems", [branch.get("items", {})])
            found = items[min(part, len(items) - 1)] or found
        elif part in branch.get("properties", {}):
            found = branch["properties"][part]
        elif "patternProperties" in branch:
            (found,) = branch["patternProperties"].values()
        elif isinstance(branch.get("additionalProperties"), Mapping):
            found = branch["additionalProperties"]
    return found


def _resolved(node: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" in node:
        found: Mapping[str, Any] = _schema()["$defs"][node["$ref"].rpartition("/")[2]]
        return found
    return node


def _branches(node: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the alternatives that `node` allows, except null, which is the same as no key."""
    node = _resolved(node)
    alternatives = [_resolved(branch) for branch in node.get("anyOf", node.get("oneOf", [node]))]
    return [branch for branch in alternatives if branch.get("type") != "null"]


def _with_properties(node: Mapping[str, Any]) -> Mapping[str, Any]:
    return next((branch for branch in _branches(node) if "properties" in branch), {})


def _in_words(node: Mapping[str, Any], location: Location) -> str:
    return " or ".join(_branch_in_words(branch, location) for branch in _branches(node))


def _branch_in_words(node: Mapping[str, Any], location: Location) -> str:
    match node:
        case {} if not node:
            return "any value"
        case {"enum": choices}:
            return f"{', '.join(choices[:-1])} or {choices[-1]}"
        case {"const": word}:
            return str(word)
        case {"type": "boolean"}:
            return "true or false"
        case {"type": "integer"}:
            return f"an integer{_range_in_words(node, step=1)}"
        case {"type": "number"}:
            return f"a number{_range_in_words(node, step=0)}"
        case {"type": "array", "prefixItems": items}:
            return f"a list of {len(items)}, each {_in_words(items[0], location)}"
        case {"type": "array", "items": items}:
            most = node.get("maxItems")
            counts = f"{node.get('minItems', 0)} to {most:,} items" if most else "items"
            return f"a list of {counts}, each {_in_words(items, location)}"
        case {"type": "string", "pattern": _}:
            return _PATTERNS_IN_WORDS.get(str(location[-1]), NAME_IN_WORDS)
        case {"type": "string", "maxLength": most}:
            return f"text of {node.get('minLength', 0)} to {most:,} characters"
        case {"properties": properties}:
            return f"a mapping with {', '.join(properties)}"
        case {"maxProperties": most}:
            return f"a mapping of at most {most} names"
        case _:
            return "a mapping"


def _range_in_words(node: Mapping[str, Any], *, step: int) -> str:
    """Word the limits; with `step` 1, of integers, exclusive ones become inclusive."""
    low, high = node.get("minimum"), node.get("maximum")
    above, below = node.get("exclusiveMinimum"), node.get("exclusiveMaximum")
    if step:
        low, above = (above + step, None) if above is not None else (low, None)
        high, below = (below - step, None) if below is not None else (high, None)
    if low is not None and high is not None:
        return f" from {low:,} to {high:,}"
    limits = {"at least": low, "above": above, "at most": high, "below": below}
    words = [f"{word} {limit:,}" for word, limit in limits.items() if limit is not None]
    return f" {' and '.join(words)}" if words else ""
