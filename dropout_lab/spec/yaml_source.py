"""Read YAML as plain data with the line of every key, and refuse what could harm or mislead.

PyYAML's own safe loader keeps the last of two equal keys, expands aliases without bound, and reads
``no`` as false, ``1e-3`` as text and ``1:30`` as 90. A spec is small and written by hand, so all of
these are handled here. Merge keys (``<<``) work as in YAML 1.1.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import yaml

from dropout_lab.errors import SpecError

MAX_BYTES = 65_536
MAX_DEPTH = 20
MAX_NODES = 5_000
MAX_SHOWN = 80
MAX_PATH_SHOWN = 500

MERGE = "<<"

Location = tuple[str | int, ...]

_Pairs = dict[str, tuple[yaml.ScalarNode, yaml.Node]]


class _Loader(yaml.SafeLoader):
    """The safe loader with YAML 1.2's plain scalars: ``no`` is text, ``1e-3`` a number, ``010`` not 8."""


_Loader.yaml_implicit_resolvers = {}

for _tag, _pattern in {
    "null": r"~|null|Null|NULL|",
    "bool": r"true|True|TRUE|false|False|FALSE",
    "int": r"[-+]?(0|[1-9][0-9]*(_[0-9]+)*)",
    "float": r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+"
    r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
}.items():
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_pattern})\Z"), None)

IMPLICIT_RESOLVERS = _Loader.yaml_implicit_resolvers
"""What makes a plain scalar a number, a truth value or nothing."""


@dataclass
class YamlSource:
    """Plain data read from YAML, and where each part of it stands.

    Attributes:
        name: The file's name, or the option's, for messages.
        data: Dicts, lists and scalars.
        text: The YAML that was read.
        lines: Line, counted from 1, of the key or item at each location.
    """

    name: str
    data: Any = None
    text: str = ""
    lines: dict[Location, int] = field(default_factory=dict)

    def line(self, location: Location) -> int:
        """Return the line of the innermost part of `location` that is there."""
        while location and location not in self.lines:
            location = location[:-1]
        return self.lines.get(location, 1)


def format_location(location: Location) -> str:
    """Return ``training.epochs`` or ``seeds[2]`` for a location."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return printable(text.lstrip(".")) or "spec"


def printable(value: Any, max_shown: int = MAX_SHOWN) -> str:
    """Return `value` as one line of at most `max_shown` characters without control characters."""
    text = value if isinstance(value, str) else repr(value)
    text = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text[: 2 * max_shown])
    return text if len(text) <= max_shown else text[: max_shown - 3] + "..."


def read_yaml_file(path: Path) -> YamlSource:
    """Read a YAML file.

    Raises:
        SpecError: If the file cannot be read, is no text, or is no YAML within the limits.
    """
    name = printable(str(path), MAX_PATH_SHOWN)
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        missing = isinstance(error, FileNotFoundError)
        problem = f"file not found{_similar_file(path)}" if missing else f"cannot read: {printable(reason)}"
        raise SpecError([f"{name}: {problem}"]) from None
    if len(raw) > MAX_BYTES:
        raise SpecError([f"{name}: file too large (allowed: {MAX_BYTES:,} bytes)"])
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise SpecError([f"{name}:{line}: not UTF-8 text: byte 0x{raw[error.start]:02x}"]) from None
    return parse_yaml(text, name)


def _similar_file(path: Path) -> str:
    """Return a suggestion if the file is in experiments/, or has the ending .yaml."""
    folders = (path.parent, path.parent / "experiments")
    names = dict.fromkeys((path.name, f"{path.stem}.yaml"))
    found = [folder / name for folder in folders for name in names if (folder / name).is_file()]
    return f" (did you mean '{printable(str(found[0]), MAX_PATH_SHOWN)}'?)" if found else ""


def parse_yaml(text: str, name: str) -> YamlSource:
    """Parse YAML `text` that came from `name` (a file or an option).

    Raises:
        SpecError: If it is not one YAML document, nests too deep, is too large once its aliases
            are expanded, repeats a key, or holds a value that YAML itself cannot construct.
    """
    source = YamlSource(name, text=text)
    if len(text) > MAX_BYTES:
        raise SpecError([f"{name[:MAX_SHOWN]}: value too long (allowed: {MAX_BYTES:,} characters)"])
    try:
        _check_size(text, name)
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            source.data = _Builder(loader, source).build(node, ()) if node is not None else None
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        problem = printable(error.problem or error.context or "something else")
        raise SpecError([f"{name}:{line}: invalid YAML: {problem}"]) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise SpecError([f"{name}:{line}: control character U+{error.character:04X}"]) from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        first_line = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SpecError([f"{name}:1: invalid YAML: {printable(first_line)}"]) from None
    return source


def _check_size(text: str, name: str) -> None:
    """Count nesting and values on the event stream, which does not recurse, before anything that does."""
    depth = num_values = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        num_values += isinstance(event, yaml.NodeEvent)
        if depth > MAX_DEPTH or num_values > MAX_NODES:
            line = event.start_mark.line + 1 if event.start_mark else 1
            deep = depth > MAX_DEPTH
            limit = f"levels (allowed: {MAX_DEPTH})" if deep else f"values (allowed: {MAX_NODES:,})"
            raise SpecError([f"{name}:{line}: too many {limit}"])


class _Builder:
    """Turns the node graph into plain data, counting every expansion of an alias."""

    def __init__(self, loader: _Loader, source: YamlSource) -> None:
        self._loader = loader
        self._source = source
        self._num_nodes = 0

    def build(self, node: yaml.Node, location: Location) -> Any:
        self._count(node, location, len(location))
        self._source.lines.setdefault(location, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self._build_mapping(node, location)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, (*location, index)) for index, item in enumerate(node.value)]
        node.value = self._text(node, location)
        try:
            return self._loader.construct_object(node)
        except (ValueError, KeyError, TypeError, OverflowError):
            self._refuse(node, location, f"invalid value: {printable(node.value)!r}")

    def _build_mapping(self, node: yaml.MappingNode, location: Location) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key, (key_node, value_node) in self._pairs(node, location, 0).items():
            self._source.lines[*location, key] = key_node.start_mark.line + 1
            result[key] = self.build(value_node, (*location, key))
        return result

    def _text(self, node: yaml.Node, location: Location) -> str:
        """Return the text of a scalar with surrogate pairs joined: JSON may escape a character as two."""
        text = str(node.value)
        try:
            return text.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            self._refuse(node, location, f"half of a surrogate pair: {printable(text)!r}")

    def _count(self, node: yaml.Node, location: Location, depth: int) -> None:
        self._num_nodes += 1
        if self._num_nodes > MAX_NODES or depth > MAX_DEPTH:
            limit = f"{MAX_NODES:,} values and {MAX_DEPTH} levels"
            self._refuse(node, location, f"too large with all aliases expanded (allowed: {limit})")

    def _pairs(self, node: yaml.MappingNode, location: Location, depth: int) -> _Pairs:
        """Return the pairs of `node` after those that it merges, which its own replace."""
        self._count(node, location, depth)
        own: _Pairs = {}
        merged: _Pairs = {}
        merge_node = None
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._refuse(key_node, location, "a key that is a list or a mapping (allowed: a name)")
            key = self._text(key_node, location)
            is_merge = key == MERGE and key_node.style is None
            first = merge_node if is_merge else own.get(key, (None,))[0]
            if first is not None:
                problem = f"duplicate key (first on line {first.start_mark.line + 1})"
                self._refuse(key_node, (*location, key), problem)
            if is_merge:
                merge_node = key_node
                for source in value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node]:
                    if not isinstance(source, yaml.MappingNode):
                        self._refuse(value_node, (*location, key), "not a mapping or a list of mappings")
                    merged = {**self._pairs(source, location, depth + 1), **merged}
            else:
                own[key] = key_node, value_node
        return {**merged, **own}

    def _refuse(self, node: yaml.Node, location: Location, problem: str) -> NoReturn:
        line = node.start_mark.line + 1
        raise SpecError([f"{self._source.name}:{line}: [{format_location(location)}] {problem}"])
