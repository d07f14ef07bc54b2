"""The names of the Python API: light to import, documented by examples that run."""

import doctest
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import dropout_lab as dl


def test_importing_loads_nothing_heavy_and_changes_no_variable() -> None:
    code = """
import os, sys
before = dict(os.environ)
import dropout_lab
heavy = {"tensorflow", "keras", "mlflow", "pandas", "matplotlib", "scipy", "numpy", "pydantic", "yaml"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
assert dict(os.environ) == before
assert set(dropout_lab.__all__) <= set(dir(dropout_lab))
for name in dropout_lab.__all__:
    getattr(dropout_lab, name)
assert not {"tensorflow", "keras", "mlflow"} & set(sys.modules)
assert dict(os.environ) == before
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="juge"):
        dl.juge  # noqa: B018


def test_a_spec_is_read_with_overrides(repository: Path) -> None:
    spec = dl.load_spec(str(repository / "experiments" / "smoke.yaml"), overrides=["training.epochs=3"])
    assert isinstance(spec, dl.Spec)
    assert spec.training.epochs == 3
    with pytest.raises(dl.DropoutLabError, match="epochs"):
        dl.load_spec(repository / "experiments" / "smoke.yaml", ["training.epochs=-1"])


def test_the_python_code_in_the_readme_runs(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (repository / "README.md").read_text("utf-8"), re.DOTALL)
    assert blocks
    (tmp_path / "docs").symlink_to(repository / "docs")
    monkeypatch.chdir(tmp_path)
    for block in blocks:
        exec(compile(block, "README.md", "exec"), {})
    assert (tmp_path / "report.html").exists()


@pytest.mark.parametrize(
    "module",
    [
        pytest.param(module, marks=pytest.mark.slow if module.endswith("running") else ())
        for module in sorted(set(dl._HOMES.values()))
    ],
)
def test_examples_in_docstrings(module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    failed, _ = doctest.testmod(import_module(module))
    assert not failed


def test_every_function_is_documented(repository: Path) -> None:
    guide = (repository / "docs" / "python.md").read_text("utf-8")
    for name in dl.__all__:
        if not name.startswith("__"):
            assert getattr(dl, name).__doc__, name
        if name.islower() and not name.startswith("__"):
            assert f"dl.{name}(" in guide, name
