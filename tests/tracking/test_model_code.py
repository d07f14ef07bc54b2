"""The code that a logged model carries, in a process that has loaded others."""

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest
from mlflow.models import Model

from dropout_lab.tracking.model_code import FOLDER, ModelCode, add_code


@pytest.fixture(autouse=True)
def modules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Modules and paths that a test adds are gone after it."""
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    monkeypatch.setattr(sys, "path", list(sys.path))


def logged(folder: Path, number: int) -> str:
    """Log code that knows `number` to a folder, and return the name of its loader."""
    root = folder / "code of the user"
    root.mkdir(parents=True)
    (root / "net.py").write_text("from helper import NUMBER\n\ndef number():\n    return NUMBER\n")
    (root / "helper.py").write_text(f"NUMBER = {number}\n")
    described = Model(flavors={"python_function": {}})
    files = (root / "helper.py", root / "net.py")
    add_code(described, folder, ModelCode(root=root, files=files, main=files[1], module="net"))
    return str(Model.load(str(folder / "MLmodel")).flavors["python_function"]["loader_module"])


def load(folder: Path, loader: str) -> dict[str, Any]:
    """Load as MLflow does, which puts the folder first and imports the loader by its name."""
    sys.path.insert(0, str(folder / FOLDER))
    return dict(importlib.import_module(loader).custom_objects())


def test_models_with_modules_of_the_same_names_have_their_own(tmp_path: Path) -> None:
    loaders = {number: logged(tmp_path / str(number), number) for number in (1, 2)}
    assert loaders[1] != loaders[2]
    first, second = (load(tmp_path / str(number), loader)["number"] for number, loader in loaders.items())
    assert (first(), second()) == (1, 2)


def test_modules_of_the_user_stay_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "helper.py").write_text("NUMBER = 3\n")
    sys.path.insert(0, str(tmp_path / "own"))
    own = importlib.import_module("helper")
    assert load(tmp_path / "1", logged(tmp_path / "1", 1))["number"]() == 1
    assert sys.modules["helper"] is own


def test_the_code_is_read_again_each_time_and_the_network_comes_first(tmp_path: Path) -> None:
    first, second = (logged(tmp_path / str(number), number) for number in (1, 2))
    load(tmp_path / "1", first)
    net = tmp_path / "2" / FOLDER / "net.py"
    net.write_text(net.read_text() + "\ndef both():\n    return 'net'\n")
    helper = net.with_name("helper.py")
    helper.write_text(helper.read_text() + "\ndef both():\n    return 'helper'\n")
    for _ in range(2):
        found = load(tmp_path / "2", second)
        assert (found["number"](), found["both"]()) == (2, "net")
