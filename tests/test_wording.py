"""No string that users read holds a phrase that reads badly, or a word with another meaning in this field."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGE = REPOSITORY / "dropout_lab"

BANNED = re.compile(
    r"\b(go on|goes on|going on|mends?|mended|anew|is told|were told|as they were|whose process is gone|"
    r"it is there|is there|none is|for want of|all the same|no matched twins|so many|by which|the rest\.|"
    r"(?<!</)(?<!<)pictures?\b)",
    re.IGNORECASE,
)
"""`picture` stands for a plot or a figure; the HTML element of that name is no word."""

NUMBERS = re.compile(r"\bfigures?\b", re.IGNORECASE)
ROOMS_WITHOUT_PLOTS = (
    "comparison",
    "evaluation",
    "data",
    "models",
    "runs",
    "spec",
    "statistics",
    "tracking",
    "training",
)
"""Where "figures" can only mean numbers, which are called metrics, values or results."""

DOCUMENTED_FIELDS = ("spec/models.py", "spec/settings.py", "spec/training.py")
"""Modules whose docstrings of fields are printed, in the JSON Schema."""

STILL_TO_REWORD: tuple[str, ...] = ()
"""Files that hold such phrases; each leaves this list when it is reworded, and none may be added."""

TEMPLATE_CODE = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}|\b(class|id)=\"[^\"]*\"", re.DOTALL)

SOURCES = sorted(PACKAGE.rglob("*.py"))
TEXTS = [
    *sorted((PACKAGE / "reporting" / "templates").glob("*.html")),
    *sorted((REPOSITORY / "experiments").glob("*.yaml")),
    REPOSITORY / "README.md",
    REPOSITORY / "SECURITY.md",
]


def shown_strings(source: str, *, with_docstrings: bool = False) -> Iterator[tuple[int, str]]:
    """Yield line and text of every string in Python code that is no docstring; ``{}`` stands for a value."""
    tree = ast.parse(source)
    inner: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and not with_docstrings:
            inner.add(node.value)
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            inner.update(ast.walk(node.value))
        if isinstance(node, ast.JoinedStr):
            inner.update(node.values)
            parts = (str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
            yield node.lineno, "".join(parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in inner:
            yield node.lineno, node.value


def _name(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def _banned(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        with_docstrings = _name(path).endswith(DOCUMENTED_FIELDS)
        strings = list(shown_strings(text, with_docstrings=with_docstrings))
    else:
        shown = TEMPLATE_CODE.sub(lambda code: "\n" * code.group().count("\n"), text)
        strings = list(enumerate(shown.splitlines(), start=1))
    found = [(line, match) for line, string in strings for match in BANNED.finditer(string)]
    if path.is_relative_to(PACKAGE) and path.relative_to(PACKAGE).parts[0] in ROOMS_WITHOUT_PLOTS:
        found += [(line, match) for line, string in strings for match in NUMBERS.finditer(string)]
    return [f"{_name(path)}:{line}: {match.group()!r} in {match.string!r}" for line, match in found]


@pytest.mark.parametrize("path", SOURCES + TEXTS, ids=_name)
def test_strings_that_users_read_hold_no_banned_phrase(path: Path) -> None:
    found = _banned(path)
    if _name(path) in STILL_TO_REWORD:
        assert found, f"{_name(path)} is reworded: remove it from STILL_TO_REWORD"
    else:
        assert not found, "\n".join(found)


def test_the_list_names_files_that_exist() -> None:
    assert set(STILL_TO_REWORD) <= {_name(path) for path in SOURCES + TEXTS}


def test_strings_are_found_where_they_are_shown_and_docstrings_are_not() -> None:
    code = 'def f(x):\n    """It goes on."""\n    print(f"mend {x} anew" "!")\n    return "so many"\n'
    assert list(shown_strings(code)) == [(4, "so many"), (3, "mend {} anew!")]
    assert (2, "It goes on.") in list(shown_strings(code, with_docstrings=True))


@pytest.mark.parametrize(
    "text, phrases",
    [
        ("Training goes on; mend it.", ["goes on", "mend"]),
        ("<picture><img></picture> recommend amendment, if there is a depicture", []),
        ("Pictures of the rest.", ["Pictures", "the rest."]),
    ],
)
def test_phrases_are_whole_words(text: str, phrases: list[str]) -> None:
    assert [match.group() for match in BANNED.finditer(text)] == phrases
