"""Fingerprints of Python source by what it does, whatever its comments and formatting."""

import ast
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
_SAID_ELSEWHERE = ("kind", "type_comment", "type_params")
"""Fields of syntax trees that say nothing of what is computed, or that only some versions of Python have."""


def code_fingerprint(source: str) -> str:
    """Return 64 hexadecimal digits over what Python `source` does, whatever its comments and formatting."""
    tree = ast.parse(source)
    return hashlib.sha256(json.dumps(_shape(tree)).encode()).hexdigest()


def files_fingerprint(files: Iterable[Path], root: Path) -> str:
    """Return 16 hexadecimal digits over the code in `files`, each named by its path under `root`."""
    code = {path.relative_to(root).as_posix(): _file_fingerprint(path) for path in files}
    return hashlib.sha256(json.dumps(code, sort_keys=True).encode()).hexdigest()[:16]


def imported_files(file: Path, root: Path) -> list[Path]:
    """Return `file` and the files under `root` that it imports, directly or through others, sorted.

    Imports are read from the source, so those that a program computes are not found. This package, which may
    be under `root` too, is left out.
    """
    found, todo = set[Path](), [file]
    while todo:
        path = todo.pop()
        if path in found:
            continue
        found.add(path)
        try:
            tree = ast.parse(path.read_bytes())
        except (SyntaxError, ValueError, RecursionError):
            continue
        for parts in _imports(tree, path, root):
            todo += [one for one in module_files(parts, root) if PACKAGE not in one.resolve().parents]
    return sorted(found)


def module_files(parts: Sequence[str], root: Path) -> list[Path]:
    """Return the files under `root` of the module whose dotted name has `parts`, and of its packages."""
    places = [root.joinpath(*parts[:end]) for end in range(1, len(parts) + 1)]
    candidates = [file for place in places for file in (place.with_suffix(".py"), place / "__init__.py")]
    return [file for file in candidates if file.is_file()]


def _imports(tree: ast.AST, path: Path, root: Path) -> Iterator[tuple[str, ...]]:
    """Yield every imported name as its parts, relative imports from `root`."""
    package = path.relative_to(root).parent.parts
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (tuple(alias.name.split(".")) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = (*base, *(node.module.split(".") if node.module else ()))
            yield from ((*module, alias.name) for alias in node.names)


def _file_fingerprint(path: Path) -> str:
    content = path.read_bytes()
    try:
        return code_fingerprint(content.decode())
    except (SyntaxError, ValueError, RecursionError):  # a compiled module, or nested too deeply
        return hashlib.sha256(content).hexdigest()


def _shape(node: object) -> object:
    """Return a syntax tree as nested lists, without what says nothing of what is computed.

    `ast.dump` differs between versions of Python, which add fields.
    """
    if isinstance(node, list):
        # A string that stands alone is a docstring, of a module, class, function or field.
        return [_shape(part) for part in node if not _is_text(part)]
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = [
        (name, _shape(value))
        for name, value in ast.iter_fields(node)
        if name not in _SAID_ELSEWHERE and value is not None and value != []
    ]
    return [type(node).__name__, fields]


def _is_text(node: object) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
