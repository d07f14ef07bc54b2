"""Import and run Python code of the user's, with its errors in words."""

import hashlib
import importlib.machinery
import importlib.util
import os
import pkgutil
import sys
import sysconfig
import threading
import traceback
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from dropout_lab.errors import DropoutLabError, FunctionError, did_you_mean
from dropout_lab.source_code import PACKAGE, module_files

MAX_ERROR_LENGTH = 500
PATIENCE_SECONDS = 5.0
"""Time after which code that still runs is named on stderr."""

_aside: dict[tuple[str, str], ModuleType] = {}
"""Modules of the user's whose name another one has outside of `import_path`, by name and file."""


def existing_file(name: str, where: str) -> Path:
    """Return the absolute path of the user's file `name`, which exists and can be read."""
    file = Path(os.path.expanduser(name)).absolute()  # noqa: PTH111 - pathlib raises for an unknown user
    try:
        if file.is_file() and os.access(file, os.R_OK):
            return file
        names = [one.name for one in file.parent.glob(f"*{file.suffix}")]
    except OSError:  # a name that is too long, or a folder that cannot be read
        names = []
    raise FunctionError(
        f"{where}: file {name!r} not found in {Path.cwd()} or not readable{did_you_mean(file.name, names)}"
    )


def find_module(name: str, where: str) -> Path:
    """Return the file of module `name`, which is looked for in the current folder first."""
    root = Path.cwd()
    try:
        with import_path(root, module_files(name.split("."), root)):
            spec = importlib.util.find_spec(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise  # a module that it imports
        spec = None
    if spec is None:
        parent, _, last = name.rpartition(".")
        path = getattr(sys.modules[parent], "__path__", []) if parent in sys.modules else None
        near = did_you_mean(last, (one.name for one in pkgutil.iter_modules(path)))
        raise FunctionError(
            f"{where}: module {name!r} not found{near}",
            hint="A file is named with its suffix, such as data.py:load.",
        )
    return Path(spec.origin or "built-in")


def root_of(file: Path, module: str) -> Path:
    """Return the folder in which Python finds `module`, whose code is in `file`."""
    depth = module.count(".") + (file.name == "__init__.py")
    return file.parents[min(depth, len(file.parents) - 1)]


def is_installed(file: Path) -> bool:
    """Return whether `file` belongs to Python, to an installed package, or to this one."""
    if file.suffix != ".py":
        return True
    own = [sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")]
    folders = [*own, str(PACKAGE), *(folder for folder in sys.path if _has_packages(folder))]
    return any(file.resolve().is_relative_to(Path(folder).resolve()) for folder in folders)


@cache
def _has_packages(folder: str) -> bool:
    """Return whether pip installed packages into `folder`, as it does with ``--user`` or ``--target``."""
    return any(Path(folder).glob("*.dist-info"))


def module_name(file: Path) -> str:
    """Return the name for `file` as a module, by which Keras and pickle find its classes again.

    It is that of the file, unless another module has it.
    """
    is_taken = _is_taken(file.stem, file)
    return f"{file.stem}_{hashlib.sha256(str(file).encode()).hexdigest()[:8]}" if is_taken else file.stem


def execute_file(file: Path, name: str) -> ModuleType:
    """Run `file` as a module of that name, and return it."""
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        # Not through the loader, which takes a cached copy for an edited file of the same second and size.
        exec(compile(file.read_bytes(), str(file), "exec"), module.__dict__)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _is_taken(name: str, file: Path) -> bool:
    """Return whether `name` is no name of a module, or that of another module than `file`."""
    if name in sys.modules:
        return getattr(sys.modules[name], "__file__", None) != str(file)
    others = [folder for folder in sys.path if folder != str(file.parent)]
    found = importlib.machinery.PathFinder.find_spec(name, others)
    is_other = found is not None and found.origin not in (None, str(file))
    return is_other or name in sys.stdlib_module_names or not name.isidentifier()


def imported_modules(files: Collection[str]) -> dict[str, ModuleType]:
    """Return the modules that were imported from `files`, by name, except the program itself."""
    main = sys.modules.get("__main__")
    return {
        name: module
        for name, module in list(sys.modules.items())
        if module is not main and getattr(module, "__file__", None) in files
    }


def forget(files: Iterable[Path]) -> None:
    """Make Python import `files` again."""
    for name in imported_modules({str(file) for file in files}):
        _take(name)


@contextmanager
def import_path(folder: Path | None, files: Iterable[Path] = ()) -> Iterator[None]:
    """Look for modules in `folder` first, as Python does for a script that is in it.

    Args:
        folder: The folder; None changes nothing.
        files: Modules in it. They are found even if modules of the user's in other folders, which were
            imported before, have the same names; these are back afterwards.
    """
    if folder is None:
        yield
        return
    own = _files_by_name(folder, files)
    others = {name: _take(name) for name, file in own.items() if _has_other(name, file)}
    for name, file in own.items():
        if (name, file) in _aside and name not in sys.modules:
            _put(name, _aside.pop((name, file)))
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        with suppress(ValueError):
            sys.path.remove(str(folder))
        for name, module in others.items():
            if name in sys.modules:
                _aside[name, own[name]] = _take(name)
            _put(name, module)


def _files_by_name(folder: Path, files: Iterable[Path]) -> dict[str, str]:
    """Return the files of modules in `folder`, and of the packages that they are in, by dotted name.

    Packages come before their modules. One without a file has that of its folder.
    """
    inner = [file.relative_to(folder) for file in files]
    names = {file.with_suffix(""): file for file in inner if file.name != "__init__.py"}
    for package in {parent for file in inner for parent in file.parents[:-1]}:
        file = package / "__init__.py"
        names[package] = file if (folder / file).is_file() else package
    return {".".join(name.parts): str(folder / file) for name, file in sorted(names.items())}


def _has_other(name: str, file: str) -> bool:
    """Return whether `name` is that of a module of the user's in another file than `file`."""
    module = sys.modules.get(name)
    found = getattr(module, "__file__", None)
    if found is None and file.endswith(".py"):  # folders without __init__.py share one module
        found = next((f"{one}/__init__.py" for one in getattr(module, "__path__", ())), None)
    return name != "__main__" and found not in (None, file) and not is_installed(Path(str(found)))


def _take(name: str) -> ModuleType:
    """Remove a module from those that were imported, and return it."""
    module = sys.modules.pop(name)
    package, _, last = name.rpartition(".")
    if getattr(sys.modules.get(package), last, None) is module:
        delattr(sys.modules[package], last)  # else `from package import module` finds it
    return module


def _put(name: str, module: ModuleType) -> None:
    """Add a module to those that were imported."""
    sys.modules[name] = module
    package, _, last = name.rpartition(".")
    if package in sys.modules and getattr(sys.modules[package], "__file__", None) is None:
        setattr(sys.modules[package], last, module)


@contextmanager
def named_if_slow(activity: str) -> Iterator[None]:
    """Print `activity` on stderr if it takes more than `PATIENCE_SECONDS`."""
    timer = threading.Timer(PATIENCE_SECONDS, lambda: print(f"{activity} ...", file=sys.stderr, flush=True))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


T = TypeVar("T")


def run_worded(call: Callable[[], T], problem: str, files: Sequence[Path] = ()) -> T:
    """Return the result of `call`, which runs code of the user's in `files`.

    Raises:
        FunctionError: If it raises or exits; its message begins with `problem`.
    """
    try:
        with redirect_stdout(sys.stderr):
            return call()
    except DropoutLabError:
        raise
    except (Exception, SystemExit) as error:
        if os.environ.get("DROPOUT_LAB_TRACEBACK") and isinstance(error, Exception):
            raise
        text = " ".join(str(error).split())[:MAX_ERROR_LENGTH]
        raise FunctionError(
            f"{problem}{_place(error, files)}: {type(error).__name__}{f': {text}' if text else ''}",
            hint="DROPOUT_LAB_TRACEBACK=1 shows the traceback.",
        ) from None


def _place(error: BaseException, files: Sequence[Path]) -> str:
    """Return ``" in FILE, line N"`` for the last line of the user's that led to `error`."""
    if isinstance(error, SyntaxError) and error.filename:
        return f" in {error.filename}, line {error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    own = {str(file) for file in files}
    return next((f" in {f.filename}, line {f.lineno}" for f in reversed(frames) if f.filename in own), "")
