"""From a YAML file and the command line's overrides to a checked `Spec`."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from dropout_lab.errors import SpecError
from dropout_lab.spec.building import plain
from dropout_lab.spec.expectations import NAME_IN_WORDS
from dropout_lab.spec.grid import DROPOUT, GRID, ZIP
from dropout_lab.spec.kinds import is_rate
from dropout_lab.spec.models import Name, Spec
from dropout_lab.spec.problems import describe
from dropout_lab.spec.rates import merge_rates, site_location, to_rates
from dropout_lab.spec.yaml_source import (
    MAX_DEPTH,
    Location,
    YamlSource,
    format_location,
    parse_yaml,
    printable,
    read_yaml_file,
)

EXTENSION = "x-"
"""Begins top-level keys that hold YAML anchors, and nothing else."""
SPACE = ("search", "space")
"""Location of the fields that a search varies, each of which is one key."""


def load_spec(path: Path | str, overrides: Sequence[str] = ()) -> Spec:
    """Read, override and check the spec in `path`.

    Args:
        path: A YAML file.
        overrides: ``key=value`` each, such as ``training.epochs=3``; the value is YAML.

    Returns:
        The spec, with its experiment resolved and the text of the file. The file is read once, so it may
        be a pipe such as ``/dev/stdin``.

    Raises:
        SpecError: With every problem that the file and the overrides have.
    """
    source = read_yaml_file(Path(path))
    if not isinstance(source.data, dict):
        received = "empty file" if source.data is None else f"invalid value: {describe(source.data)}"
        raise SpecError([f"{source.name}:1: [spec] {received} (allowed: a mapping with name, ...)"])
    for key in [key for key in source.data if key.startswith(EXTENSION)]:
        del source.data[key]
    return _overridden(source, overrides).with_source(str(path), source.text)


def override_spec(spec: Spec, overrides: Sequence[str]) -> Spec:
    """Return `spec` with overrides, checked as `load_spec` checks a file, and with its experiment resolved.

    Raises:
        SpecError: If an override is invalid.
    """
    source = YamlSource(spec.path or "dl.Spec", data=plain(spec))
    return _overridden(source, overrides).with_source(spec.path, spec.text if spec.path else "")


def _overridden(source: YamlSource, overrides: Sequence[str]) -> Spec:
    sources: dict[Location, YamlSource] = {(): source}
    for override in overrides:
        location, value = _parse_override(override)
        _assign(source.data, location, value.data, value.name)
        sources[location] = value
    spec = Spec.model_validate(source.data, context=sources)
    if spec.experiment:
        return spec
    return spec.model_copy(update={"experiment": _experiment_of_environment() or spec.name})


def seeds_override(text: str) -> str:
    """Return the override of ``--seeds``: a count (5), a list (0,1,2) or a sequential design (5..30)."""
    first, separator, most = text.partition("..")
    if separator:
        return f"seeds={{first: {first}, most: {most}}}"
    return f"seeds=[{text}]" if "," in text else f"seeds={text}"


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of a spec file, as editors use it to complete and check."""
    schema = Spec.model_json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "dropout_lab spec",
        "description": schema["description"].partition("\n")[0],
        "patternProperties": {f"^{EXTENSION}": {"description": "Place for YAML anchors; otherwise ignored."}},
    }


def _experiment_of_environment() -> str | None:
    name = os.environ.get("MLFLOW_EXPERIMENT_NAME")
    try:
        return TypeAdapter(Name).validate_python(name) if name else None
    except ValidationError:
        raise SpecError(
            [f"MLFLOW_EXPERIMENT_NAME: invalid name: {describe(name)} (allowed: {NAME_IN_WORDS})"]
        ) from None


def _parse_override(override: str) -> tuple[Location, YamlSource]:
    name = f"--set {printable(override)}"
    key, separator, text = override.partition("=")
    location = _joined_site(tuple(part.strip() for part in key.split(".")))
    if not separator or not all(location) or len(location) > MAX_DEPTH:
        raise SpecError([f"{name}: not of the form KEY=VALUE, such as training.epochs=3"])
    return location, parse_yaml(text, name)


def _joined_site(location: tuple[str, ...]) -> tuple[str, ...]:
    """Return `location` with the name of a site, or a field of the grid or of a search, in one part."""
    if location[:2] == SPACE and all(location) and location[2:]:
        return (*SPACE, ".".join(location[2:]))
    if location[0] == GRID and all(location):
        start = 2 if location[1:2] == (ZIP,) else 1
        return (*location[:start], ".".join(location[start:])) if location[start:] else location
    for start in range(len(location) - len(DROPOUT)):
        end = start + len(DROPOUT)
        if location[start:end] == DROPOUT and all(location):
            return (*location[:end], *site_location(location[end:]))
    return location


def _assign(data: dict[str, Any], location: Location, value: Any, source_name: str) -> None:
    """Set `value` at `location`; below the dropout rates it changes them as a condition does."""
    *parents, last = location
    for depth, parent in enumerate(parents, start=1):
        child = data.get(str(parent))
        if location[max(depth - 2, 0) : depth] == DROPOUT and (is_rate(child) or isinstance(child, dict)):
            change: Any = value
            for part in reversed(location[depth:]):
                change = {part: change}
            data[str(parent)] = merge_rates(to_rates(child), to_rates(change))
            return
        if child is not None and not isinstance(child, dict):
            place, key = format_location(location[:depth]), printable(str(location[depth]))
            raise SpecError([f"{source_name}: [{place}] no key {key!r} in {describe(child)}"])
        data[str(parent)] = data = {} if child is None else child
    data[str(last)] = value
