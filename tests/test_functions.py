"""Functions of the user's: found by name, named in every error, and loaded as they are on disk."""

import importlib
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import pytest

from dropout_lab import user_code
from dropout_lab.errors import FunctionError
from dropout_lab.functions import load_function

WHERE = "data.dataset"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, which is empty; modules that are imported from it are forgotten again."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    return tmp_path


def message(reference: str) -> str:
    """Return why `reference` cannot be loaded."""
    with pytest.raises(FunctionError) as caught:
        load_function(reference, WHERE)
    assert caught.value.exit_code == 2
    assert caught.value.message.startswith(f"{WHERE}: ")
    return caught.value.message


def failure(source: str, **arguments: object) -> str:
    """Return how it ends to call ``make`` of a file."""
    Path("own.py").write_text(source)
    with pytest.raises(FunctionError) as caught:
        load_function("own.py:make", WHERE).call(**arguments)
    return caught.value.message


def test_a_file_a_module_and_an_installed_package_are_called(folder: Path) -> None:
    (folder / "own.py").write_text("from helper import RATE\ndef make(size): return size * RATE\n")
    (folder / "helper.py").write_text("RATE = 2\n")
    path = list(sys.path)
    for reference in ("own.py:make", "./own.py:make", f"{folder}/own.py:make", "own:make"):
        loaded = load_function(reference, WHERE)
        assert loaded.call(size=3) == 6
        assert {file.name for file in loaded.files} == {"own.py", "helper.py"}
    installed = load_function("json.decoder:JSONDecoder.decode", WHERE)
    assert installed.files == ()
    assert installed.code_fingerprint == load_function("json:JSONDecoder", WHERE).code_fingerprint
    assert sys.path == path


def test_this_package_is_no_code_of_the_users(folder: Path) -> None:
    """As in a clone, where it is in the folder of a file that imports it."""
    package = Path(user_code.__file__).parent
    (folder / "dropout_lab").symlink_to(package, target_is_directory=True)
    (folder / "own.py").write_text("import dropout_lab\ndef make(): return dropout_lab\n")
    before = sys.modules["dropout_lab"], sys.modules["dropout_lab.errors"]
    loaded = load_function("own.py:make", WHERE)
    assert [file.name for file in loaded.files] == ["own.py"]
    assert loaded.call() is before[0]
    assert (sys.modules["dropout_lab"], sys.modules["dropout_lab.errors"]) == before


def test_a_file_is_loaded_again_only_after_an_edit_of_it_or_of_what_it_imports(folder: Path) -> None:
    (folder / "own.py").write_text("from helper import RATE\ndef make(): return RATE\n")
    (folder / "helper.py").write_text("RATE = 1\n")
    first = load_function("own.py:make", WHERE)
    assert load_function("own.py:make", WHERE).function is first.function
    (folder / "helper.py").write_text("RATE = 1.25\n")
    edited = load_function("own.py:make", WHERE)
    assert (first.call(), edited.call()) == (1, 1.25)
    assert edited.code_fingerprint != first.code_fingerprint
    (folder / "own.py").write_text("from helper import RATE\ndef make(): return RATE + 1\n")
    assert load_function("own.py:make", WHERE).call() == 2.25


def test_a_module_in_a_folder_without_init_is_loaded_again_after_an_edit(folder: Path) -> None:
    (folder / "parts").mkdir()
    (folder / "own.py").write_text("from parts import deep\ndef make(): return deep.RATE\n")
    for rate in (1, 1.25):
        (folder / "parts" / "deep.py").write_text(f"RATE = {rate}\n")
        assert load_function("own.py:make", WHERE).call() == rate


def test_a_helper_that_was_imported_and_edited_before_is_loaded_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a notebook."""
    monkeypatch.syspath_prepend(folder)
    (folder / "own.py").write_text("from helper import RATE\ndef make(): return RATE\n")
    (folder / "helper.py").write_text("RATE = 1\n")
    importlib.import_module("helper")
    (folder / "helper.py").write_text("RATE = 1.25\n")
    assert load_function("own.py:make", WHERE).call() == 1.25


OWN = """
import helper
from parts import deep

def make():
    from helper import RATE
    import parts.deep
    return [helper.RATE, deep.RATE, RATE, parts.deep.RATE]
"""


@pytest.mark.parametrize("with_init", [(), ("data",), ("nets",), ("data", "nets")])
def test_modules_of_the_same_name_in_two_folders_are_told_apart(
    folder: Path, with_init: Sequence[str]
) -> None:
    for rate, name in enumerate(("data", "nets")):
        (folder / name / "parts").mkdir(parents=True)
        (folder / name / "own.py").write_text(OWN)
        for place in ("helper", "parts/deep", *(["parts/__init__"] if name in with_init else [])):
            (folder / name / f"{place}.py").write_text(f"RATE = {rate}\n")
    first, second = (load_function(f"{name}/own.py:make", WHERE) for name in ("data", "nets"))
    for _ in range(2):
        assert (first.call(), second.call()) == ([0] * 4, [1] * 4)
    assert sys.modules["helper"].RATE == 0, "that of the first is back"
    (folder / "nets" / "helper.py").write_text("RATE = 1.25\n")
    edited = load_function("nets/own.py:make", WHERE)
    assert (first.call(), edited.call()) == ([0] * 4, [1.25, 1, 1.25, 1])


def test_a_module_of_the_current_folder_is_found_though_a_helper_elsewhere_has_its_name(folder: Path) -> None:
    (folder / "data").mkdir()
    (folder / "data" / "own.py").write_text("import helper\ndef make(): return helper.make()\n")
    (folder / "data" / "helper.py").write_text("def make(): return 0\n")
    (folder / "helper.py").write_text("def make(): return 1\n")
    loaded = [load_function(reference, WHERE) for reference in ("data/own.py:make", "helper:make")]
    assert [one.call() for one in loaded] == [0, 1]
    assert loaded[1].files == (folder / "helper.py",)


def test_the_program_itself_stays_and_is_not_the_module_of_its_functions(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in ``python own.py`` with a spec that names functions of this file."""
    (folder / "own.py").write_text("def make(): return __name__\n")
    program = ModuleType("__main__")
    program.__file__ = str(folder / "own.py")
    monkeypatch.setitem(sys.modules, "__main__", program)
    loaded = load_function("own.py:make", WHERE)
    assert loaded.call() == "own"
    assert loaded.module is sys.modules["own"]
    assert sys.modules["__main__"] is program


def test_the_module_has_the_name_of_its_file_unless_that_is_taken(folder: Path) -> None:
    for name in ("own", "json", "numpy", "a-b"):
        (folder / f"{name}.py").write_text("class Layer: pass\n")
    json = sys.modules["json"]
    assert load_function("own.py:Layer", WHERE).function.__module__ == "own"
    for name in ("json", "numpy", "a-b"):
        function = load_function(f"{name}.py:Layer", WHERE).function
        assert function.__module__.startswith(f"{name}_")
        assert getattr(sys.modules[function.__module__], "Layer") is function  # noqa: B009
    assert sys.modules["json"] is json


def test_packages_in_a_folder_of_their_own_are_installed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by ``pip install --target``, or ``--user``."""
    packages = folder / "packages"
    (packages / "library-1.0.dist-info").mkdir(parents=True)
    (packages / "library.py").write_text("def make(): return 1")
    monkeypatch.syspath_prepend(packages)
    assert load_function("library:make", WHERE).files == ()


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("make", "not of the form module:function or file.py:function: 'make'"),
        (":make", "not of the form"),
        ("own.py:", "not of the form"),
        ("onw.py:make", "file 'onw.py' not found in "),
        ("onw.py:make", "(did you mean 'own.py'?)"),
        ("own.py:mak", "own.py has no function 'mak' (did you mean 'make'?)"),
        ("own.py:zzz", "own.py has no function 'zzz' (available: make)"),
        ("own.py:RATE", "RATE in own.py is not a function but int"),
        ("onw:make", "module 'onw' not found (did you mean 'own'?)"),
        ("json.decodr:JSONDecoder", "module 'json.decodr' not found (did you mean 'decoder'?)"),
        ("own.part:make", "module 'own.part' not found"),
        ("__main__:make", ""),
        (".own:make", "cannot be imported"),
        ("broken.py:make", "broken.py cannot be imported in "),
        ("broken.py:make", "broken.py, line 2: NameError: name 'x' is not defined"),
        ("broken:make", "broken.py, line 2: NameError"),
        ("syntax.py:make", "syntax.py, line 1: SyntaxError"),
        ("needs.py:make", "needs.py, line 1: ModuleNotFoundError: No module named 'not_installed'"),
        ("needs:make", "needs.py, line 1: ModuleNotFoundError: No module named 'not_installed'"),
        ("leaves.py:make", "leaves.py, line 1: SystemExit: bye"),
        (f"{'x' * 300}.py:make", "not found"),
    ],
)
def test_what_cannot_be_loaded_is_named(folder: Path, reference: str, expected: str) -> None:
    (folder / "own.py").write_text("RATE = 1\ndef make(): pass\n")
    (folder / "broken.py").write_text("\nx\n")
    (folder / "syntax.py").write_text("def (\n")
    (folder / "needs.py").write_text("import not_installed\n")
    (folder / "leaves.py").write_text("raise SystemExit('bye')\n")
    assert expected in message(reference)


def test_a_function_that_fails_is_named_with_its_line() -> None:
    text = failure("def make():\n    return helper()\ndef helper():\n    return int('x')\n")
    assert text.startswith("data.dataset: own.py:make failed in ")
    assert "own.py, line 4: ValueError: invalid literal for int()" in text
    assert "SystemExit: 3" in failure("def make(): raise SystemExit(3)\n")
    assert "line 1: MemoryError" in failure("def make(): raise MemoryError\n")
    assert len(failure("def make(): raise ValueError('x' * 10_000 + chr(10))\n")) < 1000


def test_arguments_are_checked_against_the_signature(folder: Path) -> None:
    (folder / "own.py").write_text(
        "def make(size, *, rate=1): pass\ndef some(**more): pass\ndef none(): pass\n"
    )
    make = load_function("own.py:make", WHERE)
    make.check_arguments(["size", "rate"], "data.arguments")
    load_function("own.py:some", WHERE).check_arguments(["whatever"], "data.arguments")
    with pytest.raises(FunctionError, match=r"^data.arguments: unknown argument of own.py:make: 'rat' \(did"):
        make.check_arguments(["rat"], "data.arguments")
    with pytest.raises(FunctionError, match=r"'x' \(allowed: no arguments\)"):
        load_function("own.py:none", WHERE).check_arguments(["x"], "data.arguments")


def test_what_it_prints_goes_to_stderr(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "own.py").write_text("print('importing')\ndef make(): print('making')\n")
    load_function("own.py:make", WHERE).call()
    output = capsys.readouterr()
    assert (output.out, output.err) == ("", "importing\nmaking\n")


def test_a_slow_call_is_named_while_it_runs(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "own.py").write_text("def make(wait): wait()\n")
    make = load_function("own.py:make", WHERE)
    monkeypatch.setattr(user_code, "PATIENCE_SECONDS", 0.0)
    named = []

    def wait() -> None:
        while not (text := capsys.readouterr().err):
            time.sleep(0.001)
        named.append(text)

    make.call(wait=wait)
    assert named == ["data.dataset: running own.py:make ...\n"]
