"""The notebooks under docs/: their code runs in an empty folder, and their outputs are stored."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "docs").glob("*.ipynb"))
MACHINE = re.compile(r"/(root|home|work|tmp|Users)/|Traceback")

RUN_CELLS = """
import ast, json, sys
names = {"__name__": "__main__"}
for source in json.load(sys.stdin):
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)
    if last is not None:
        value = eval(compile(ast.Expression(last.value), "cell", "eval"), names)
        shown = [getattr(value, name)() for name in ("_repr_html_", "_repr_png_") if hasattr(value, name)]
        assert any(shown), f"a notebook shows nothing for {value!r}"
print(json.dumps([one.word.value for one in names["comparison"].verdicts]))
"""
"""Runs cells one after the other and displays their last values, as a kernel does, without IPython."""


def cells(path: Path, kind: str) -> list[dict[str, Any]]:
    """Return the cells of one kind."""
    return [
        cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == kind
    ]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_stored_outputs_are_complete_and_tell_nothing_of_a_machine(path: Path) -> None:
    for cell in cells(path, "code"):
        outputs = cell["outputs"]
        assert not MACHINE.search(json.dumps(outputs))
        assert not [one for one in outputs if one["output_type"] == "error"]
    assert any("image/png" in one.get("data", {}) for cell in cells(path, "code") for one in cell["outputs"])


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_the_code_of_a_notebook_runs(path: Path, tmp_path: Path) -> None:
    sources = ["".join(cell["source"]) for cell in cells(path, "code")]
    result = subprocess.run(
        [sys.executable, "-c", RUN_CELLS],
        input=json.dumps(sources),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout.splitlines()[-1])
    assert (tmp_path / "mlflow.db").exists()
