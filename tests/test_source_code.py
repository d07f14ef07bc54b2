"""Source is the same where it does the same, and includes what it imports from its own folder."""

from pathlib import Path

import pytest

from dropout_lab.source_code import code_fingerprint, files_fingerprint, imported_files

SOURCE = '''"""Doc."""
import numpy as np

RATE = 0.5
"""A field's doc."""


class A:
    """Doc."""

    def f(self, x: int) -> int:
        """Doc."""
        return x + 1  # why
'''


@pytest.mark.parametrize(
    ("before", "after", "is_same"),
    [
        ("# why", "# because", True),
        ("Doc.", "Other words.", True),
        ("x + 1", "(x\n            + 1)", True),
        ("\n\n\n", "\n\n", True),
        ('        """Doc."""\n        return', "        return", True),
        ("x + 1", "x + 2", False),
        ("x + 1", "x - 1", False),
        ("0.5", "0.25", False),
        ("class A", "class B", False),
        ("def f", "async def f", False),
        ("-> int", "-> float", False),
    ],
)
def test_only_code_that_does_something_else_is_other_code(before: str, after: str, is_same: bool) -> None:
    edited = SOURCE.replace(before, after)
    assert edited != SOURCE
    assert (code_fingerprint(edited) == code_fingerprint(SOURCE)) is is_same


def write(folder: Path, **files: str) -> None:
    """Write modules, whose names have ``__`` for a folder."""
    for name, source in files.items():
        path = folder.joinpath(*name.split("__")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)


def test_imports_are_followed_within_the_folder_alone(tmp_path: Path) -> None:
    write(
        tmp_path,
        main="import numpy, helper\nfrom pack.inner import deep\nfrom pack import part\n",
        helper="import json\nimport main\n",
        pack__inner__deep="from .. import sibling\nfrom . import near\n",
        pack__inner__near="",
        pack__part="",
        pack__sibling="",
        unrelated="",
        json_="",
    )
    found = [path.relative_to(tmp_path).as_posix() for path in imported_files(tmp_path / "main.py", tmp_path)]
    assert found == [
        *("helper.py", "main.py"),
        *("pack/inner/deep.py", "pack/inner/near.py", "pack/part.py", "pack/sibling.py"),
    ]


def test_an_edit_in_an_imported_file_is_an_edit(tmp_path: Path) -> None:
    write(tmp_path, main="import helper\n", helper="X = 1\n")
    files = imported_files(tmp_path / "main.py", tmp_path)
    before = files_fingerprint(files, tmp_path)
    write(tmp_path, helper="X = 1  # a comment\n")
    assert files_fingerprint(files, tmp_path) == before
    write(tmp_path, helper="X = 2\n")
    assert files_fingerprint(files, tmp_path) != before


def test_code_that_cannot_be_parsed_has_a_fingerprint_of_its_bytes(tmp_path: Path) -> None:
    for source in ("def f(:\n", "\0", "x = " + "-" * 5000 + "1\n"):
        (tmp_path / "main.py").write_text(source)
        files = imported_files(tmp_path / "main.py", tmp_path)
        assert len(files_fingerprint(files, tmp_path)) == 16
