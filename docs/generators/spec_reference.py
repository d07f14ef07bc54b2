"""The reference of specs, from the JSON Schema."""

import json
from collections.abc import Iterator
from typing import Any

from pieces import code, table

from dropout_lab.spec import json_schema

Schema = dict[str, Any]
REFERENCE = "#/$defs/"
METRICS = {"test_accuracy", "test_loss", "generalization_gap"}
HEADER = ("Key", "Values", "Default", "Meaning")


def spec_reference() -> str:
    return _Sections(json_schema()).text()


class _Sections:
    """One section per object of the schema, named by the key under which it is first found."""

    def __init__(self, schema: Schema):
        self._definitions: dict[str, Schema] = schema["$defs"]
        self._places: dict[str, str] = {}
        self._top = schema

    def text(self) -> str:
        return "\n\n".join(self._sections("", self._top))

    def _sections(self, place: str, schema: Schema) -> Iterator[str]:
        """Yield the section of an object, and after it those of the objects in it."""
        inner = []
        for key, value in _properties(schema):
            for name in _references(value):
                if name not in self._places and self._is_object(name):
                    self._places[name] = f"{place}.{key}" if place else key
                    inner.append(name)
        yield self._section(place, schema)
        for name in inner:
            yield from self._sections(self._places[name], self._definitions[name])

    def _is_object(self, name: str) -> bool:
        return any(True for _ in _properties(self._definitions[name]))

    def _section(self, place: str, schema: Schema) -> str:
        required = schema.get("required", [])
        rows = [
            (
                code(key),
                self._values(value),
                "required" if key in required else self._default(value),
                self._meaning(value),
            )
            for key, value in _properties(schema)
        ]
        heading = f"## {code(place)} {{ #{_anchor(place)} }}" if place else "## Top level { #top-level }"
        description = schema.get("description", "").replace("\n", " ")
        return f"{heading}\n\n{description}\n\n{table(HEADER, rows)}"

    def _meaning(self, value: Schema) -> str:
        if "description" in value:
            return str(value["description"])
        names = list(_references(value))
        return str(self._definitions[names[0]].get("description", "")) if names else ""

    def _default(self, value: Schema) -> str:
        default = value.get("default")
        if default is None or default in ({}, "") or any(map(self._is_object, _references(value))):
            return ""
        return code(json.dumps(default).strip('"'))

    def _values(self, schema: Schema) -> str:
        if "$ref" in schema:
            return self._link(schema["$ref"].removeprefix(REFERENCE))
        if "anyOf" in schema:
            kinds = [self._values(one) for one in schema["anyOf"] if one.get("type") != "null"]
            return " or ".join(dict.fromkeys(kinds))
        if "const" in schema:
            return code(schema["const"])
        if "enum" in schema:
            if set(schema["enum"]) >= METRICS:
                return "a metric of [`margins`](#margins)"
            return ", ".join(code(json.dumps(one).strip('"')) for one in schema["enum"])
        return self._plain(schema)

    def _plain(self, schema: Schema) -> str:
        kind = schema.get("type")
        if kind == "array":
            return f"list of {self._items(schema)}"
        if kind == "object":
            inner = list(dict.fromkeys(self._values(one) for one in _members(schema) if one))
            return f"mapping of names to {' or '.join(inner)}" if inner else "mapping"
        if kind in ("integer", "number"):
            return f"{kind}{_range(schema)}"
        return {"boolean": "`true`, `false`", "string": "text"}.get(str(kind), "any value")

    def _items(self, schema: Schema) -> str:
        if "prefixItems" in schema:
            return f"{len(schema['prefixItems'])}: {self._values(schema['prefixItems'][0])}"
        return self._values(schema.get("items") or {})

    def _link(self, name: str) -> str:
        if name in self._places:
            place = self._places[name]
            return f"[{code(place)}](#{_anchor(place)})"
        return self._values(self._definitions[name])


def _properties(schema: Schema) -> Iterator[tuple[str, Schema]]:
    yield from schema.get("properties", {}).items()


def _members(schema: Schema) -> Iterator[Schema]:
    yield from schema.get("patternProperties", {}).values()
    extra = schema.get("additionalProperties")
    if isinstance(extra, dict):
        yield extra


def _references(schema: Any) -> Iterator[str]:
    """Yield the names of the definitions that a schema refers to, its own properties left out."""
    if isinstance(schema, dict):
        if "$ref" in schema:
            yield schema["$ref"].removeprefix(REFERENCE)
        for key, value in schema.items():
            if key not in ("default", "description"):
                yield from _references(value)
    elif isinstance(schema, list):
        for one in schema:
            yield from _references(one)


def _range(schema: Schema) -> str:
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    limits = [f"{sign} {schema[name]:,.10g}" for name, sign in signs.items() if name in schema]
    return f" {', '.join(limits)}" if limits else ""


def _anchor(place: str) -> str:
    return place.replace(".", "-").replace("_", "-")
