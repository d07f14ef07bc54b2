"""From plain data to a checked `Spec`: one way for files, command lines and keywords in Python."""

import os
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from dropout_lab.errors import SpecError
from dropout_lab.spec.checks import check_whole
from dropout_lab.spec.grid import GRID, expand_grid
from dropout_lab.spec.models import Spec
from dropout_lab.spec.problems import Sources, line, validation_problem
from dropout_lab.spec.yaml_source import IMPLICIT_RESOLVERS, YamlSource

IN_PYTHON: Sources = {(): YamlSource("dl.Spec")}
"""Names the place of a value in messages, instead of a file and a line."""

SpecT = TypeVar("SpecT", bound=Spec)


def build_spec(data: Any, validate: Callable[[Any], SpecT], sources: Sources | None = None) -> SpecT:
    """Validate `data`, field by field and as a whole.

    Args:
        data: A mapping; values may be anything that Python code has for a list, a number or a text.
        validate: Makes the spec of plain data.
        sources: Places of the values; None if they were given in Python.

    Raises:
        SpecError: With every problem of the fields, else with every problem of the whole.
    """
    sources = sources or IN_PYTHON
    problems: list[str] = []
    if not isinstance(data, Spec):
        data = plain(data)
        if isinstance(data, dict) and GRID in data:
            data, sources, found = expand_grid(data, sources)
            problems = [line(location, sources, problem) for location, problem in found]
    try:
        spec = validate(data)
    except ValidationError as error:
        in_order = sorted(error.errors(include_url=False), key=lambda each: sources[()].line(each["loc"]))
        problems += dict.fromkeys(validation_problem(details, sources) for details in in_order)
    if problems:
        raise SpecError(problems)
    check_whole(spec, sources)
    return spec


def plain(value: Any) -> Any:
    """Return `value` as YAML has it: dicts with text as keys, lists, and scalars of Python's own types."""
    if isinstance(value, BaseModel):
        return plain(value.model_dump(exclude_unset=True))
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple | range):
        return [plain(part) for part in value]
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return value.tolist() if hasattr(value, "tolist") else value  # NumPy's numbers and arrays


class _Dumper(yaml.SafeDumper):
    """Quotes whatever text the loader of specs would not read as text."""

    yaml_implicit_resolvers = IMPLICIT_RESOLVERS

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def to_yaml(value: Any) -> str:
    """Return the YAML from which the loader of specs reads `value` again."""
    return yaml.dump(plain(value), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
