"""From a YAML file and the command line's overrides to a checked `Spec`, with all problems told at once."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from dropout_lab.errors import SpecError, did_you_mean
from dropout_lab.spec.expectations import NAME_IN_WORDS, choices_at, expected_at, valid_keys
from dropout_lab.spec.models import (
    FIXED_SEEDS,
    SEQUENTIAL_SEEDS,
    Name,
    SequentialSeeds,
    Settings,
    Spec,
    spread_rate,
)
from dropout_lab.spec.yaml_source import (
    MAX_DEPTH,
    Location,
    YamlSource,
    format_location,
    parse_yaml,
    printable,
    read_yaml_file,
)

DEFAULT_EXPERIMENT = "dropout_lab"
TYPES_WORDED_BY_PYDANTIC = ("validation",)


def load_spec(path: Path, overrides: Sequence[str] = ()) -> Spec:
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
    source = read_yaml_file(path)
    if not isinstance(source.data, dict):
        received = "an empty file" if source.data is None else _describe(source.data)
        raise SpecError([f"{source.name}:1: [spec] expected keys and values, received {received}"])
    sources: dict[Location, YamlSource] = {(): source}
    for override in overrides:
        location, value = _parse_override(override)
        _assign(source.data, location, value.data, value.name)
        sources[location] = value
    spec = _validate(source.data, sources)
    _check_conditions(spec, sources)
    if not spec.experiment:
        spec = spec.model_copy(update={"experiment": _default_experiment()})
    return spec.with_source(str(path), source.text)


def condition_settings(spec: Spec) -> dict[str, Settings]:
    """Return the complete settings of each condition of `spec`, in the file's order."""
    shared = {name: getattr(spec, name) for name in Settings.model_fields}
    if not spec.conditions:
        return {spec.name: Settings(**shared)}
    base = spec.model_dump(include=set(Settings.model_fields), exclude_unset=True)
    return {
        name: Settings.model_validate(_merge(base, change.model_dump(exclude_unset=True)))
        for name, change in spec.conditions.items()
    }


def seeds_override(text: str) -> str:
    """Return the override of ``--seeds``: a count (5), a list (0,1,2) or a sequential design (5..30)."""
    first, separator, most = text.partition("..")
    if separator:
        return f"seeds={{first: {first}, most: {most}}}"
    return f"seeds=[{text}]" if "," in text else f"seeds={text}"


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of a spec file, as editors use it to complete and check."""
    schema = Spec.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "dropout_lab spec"}


def _default_experiment() -> str:
    name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or DEFAULT_EXPERIMENT
    try:
        return TypeAdapter(Name).validate_python(name)
    except ValidationError:
        received = _describe(name)
        raise SpecError(
            [f"MLFLOW_EXPERIMENT_NAME: [experiment] expected {NAME_IN_WORDS}, received {received}"]
        ) from None


def _parse_override(override: str) -> tuple[Location, YamlSource]:
    name = f"--set {printable(override)}"
    key, separator, text = override.partition("=")
    location = tuple(part.strip() for part in key.split("."))
    if not separator or not all(location) or len(location) > MAX_DEPTH:
        raise SpecError([f"{name}: [--set] expected key=value such as training.epochs=3"])
    return location, parse_yaml(text, name)


def _assign(data: dict[str, Any], location: Location, value: Any, source_name: str) -> None:
    """Set `value` at `location`, where a single dropout rate gives way to one for each site."""
    *parents, last = location
    for depth, parent in enumerate(parents, start=1):
        child = data.get(str(parent))
        if parent == "dropout":
            child = spread_rate(child)
        if child is not None and not isinstance(child, dict):
            problem = f"expected keys and values to set one of, received {_describe(child)}"
            raise SpecError([f"{source_name}: [{format_location(location[:depth])}] {problem}"])
        data[str(parent)] = data = {} if child is None else child
    data[str(last)] = value


def _merge(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in change.items():
        both_nested = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = _merge(merged[key], value) if both_nested else value
    return merged


def _validate(data: Any, sources: Mapping[Location, YamlSource]) -> Spec:
    try:
        return Spec.model_validate(data)
    except ValidationError as error:
        in_order = sorted(error.errors(include_url=False), key=lambda each: sources[()].line(each["loc"]))
        problems = (_problem(details, sources) for details in in_order)
        raise SpecError(dict.fromkeys(problems)) from None


def _check_conditions(spec: Spec, sources: Mapping[Location, YamlSource]) -> None:
    """Check what single fields cannot: that claims and seeds speak of what is there, once."""
    problems = []
    names = list(spec.conditions) or [spec.name]
    for index, claim in enumerate(spec.claims):
        for role in ("condition", "reference") if spec.conditions else ("condition",):
            name = getattr(claim, role)
            if name not in names:
                expected = f"expected one of {', '.join(names)}{did_you_mean(name, names)}"
                problems.append(_line(("claims", index, role), sources, f"{expected}, received {name!r}"))
        if claim.condition == claim.reference:
            problem = f"expected another condition than {claim.condition!r}, received the same"
            problems.append(_line(("claims", index, "reference"), sources, problem))
        if claim.expected == "equivalent" and claim.margin == 0:
            problem = "expected a number above 0, within which the two count as equivalent, received 0"
            problems.append(_line(("claims", index, "margin"), sources, problem))
    if isinstance(spec.seeds, SequentialSeeds):
        if spec.seeds.first >= spec.seeds.most:
            problem = f"expected more than the {spec.seeds.first} of first, received {spec.seeds.most}"
            problems.append(_line(("seeds", "most"), sources, problem))
    elif repeated := sorted({seed for seed in spec.seeds if spec.seeds.count(seed) > 1}):
        problems.append(
            _line(("seeds",), sources, f"expected each seed once, received {repeated[0]} more than once")
        )
    if problems:
        raise SpecError(problems)


def _problem(details: ErrorDetails, sources: Mapping[Location, YamlSource]) -> str:
    location: Location = tuple(part for part in details["loc"] if part not in (FIXED_SEEDS, SEQUENTIAL_SEEDS))
    received = f"received {_describe(details['input'])}"
    if details["type"] == "extra_forbidden":
        valid = valid_keys(location[:-1])
        suggestion = did_you_mean(str(location[-1]), valid)
        return _line(
            location, sources, f"expected one of {', '.join(valid)}{suggestion}, received another key"
        )
    if details["type"] == "missing" and isinstance(location[-1], int):
        location = location[:-1]
        received = "received fewer"
    elif details["type"] == "missing":
        received = "received nothing: the key is missing"
    elif details["type"] in ("too_long", "too_short"):
        received = f"received {details['ctx']['actual_length']}"
    if details["type"] in TYPES_WORDED_BY_PYDANTIC:
        expected = details["msg"].removeprefix("Input should be ")
    else:
        expected = expected_at(location)
    suggestion = did_you_mean(str(details["input"]), choices_at(location))
    return _line(location, sources, f"expected {expected}{suggestion}, {received}")


def _line(location: Location, sources: Mapping[Location, YamlSource], problem: str) -> str:
    """Prefix `problem` with where it stands: the override that set it, or the file's line."""
    for end in range(len(location), 0, -1):
        if location[:end] in sources:
            return f"{sources[location[:end]].name}: [{format_location(location)}] {problem}"
    return f"{sources[()].name}:{sources[()].line(location)}: [{format_location(location)}] {problem}"


def _describe(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict | list):
        return "a list" if isinstance(value, list) else "keys and values"
    if isinstance(value, bool):
        return f"{str(value).lower()} (a boolean)"
    return f"{printable(repr(value))} (text)" if isinstance(value, str) else printable(repr(value))
