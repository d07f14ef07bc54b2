"""Fingerprint of the code that decides a trained weight."""

import ast
import hashlib
import json
from functools import cache
from pathlib import Path

import dropout_lab

ROOMS = ("data", "models", "training")
"""Packages that decide a trained weight."""

WITHOUT_EFFECT = ("data/fetching.py", "training/processor.py")
"""Modules of `ROOMS` that cannot change a weight."""

_SAID_ELSEWHERE = ("kind", "type_comment", "type_params")
"""Fields of syntax trees that say nothing of what is computed, or that only some versions of Python have."""


@cache
def training_code() -> str:
    """Return 16 hexadecimal digits over the code that trains: equal if only comments or formatting differ."""
    root = Path(dropout_lab.__file__).parent
    sources = [root / "seeds.py", *(path for room in ROOMS for path in sorted((root / room).rglob("*.py")))]
    code = {
        name: code_fingerprint(source.read_text(encoding="utf-8"))
        for source in sources
        if (name := source.relative_to(root).as_posix()) not in WITHOUT_EFFECT
    }
    return hashlib.sha256(json.dumps(code).encode()).hexdigest()[:16]


def code_fingerprint(source: str) -> str:
    """Return 64 hexadecimal digits over what Python `source` does, whatever its comments and formatting."""
    tree = ast.parse(source)
    return hashlib.sha256(json.dumps(_shape(tree)).encode()).hexdigest()


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
