"""Functions of the user's that a spec names: ``module:function`` or ``file.py:function``."""

import hashlib
import importlib
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from dropout_lab.errors import FunctionError, did_you_mean
from dropout_lab.source_code import files_fingerprint, imported_files
from dropout_lab.user_code import (
    execute_file,
    existing_file,
    find_module,
    forget,
    import_path,
    is_installed,
    module_name,
    named_if_slow,
    root_of,
    run_worded,
)

_loaded: dict[Path, tuple[str, ModuleType]] = {}
"""Modules of the user's that were loaded, with the fingerprint of their code, by path."""


@dataclass(frozen=True, kw_only=True)
class LoadedFunction:
    """A function that a spec names.

    Attributes:
        reference: The name in the spec, such as ``data.py:load``.
        where: Field of the spec, such as ``data.dataset``; begins every message.
        function: The function, or a class.
        code_fingerprint: 16 hexadecimal digits over its source and the source that this imports from its own
            folder; of an installed package, over the one file that defines the function.
        files: These files, for a function of the user's; empty for an installed package.
        root: Folder in which it finds its imports; None for an installed package.
        module: The module that the reference names; None for a function without one.
    """

    reference: str
    where: str
    function: Callable[..., Any]
    code_fingerprint: str
    files: tuple[Path, ...] = ()
    root: Path | None = None
    module: ModuleType | None = None

    def parameters(self) -> tuple[str, ...] | None:
        """Return the names of the arguments that it takes by keyword; None if it takes any, or hides them."""
        try:
            found = inspect.signature(self.function).parameters.values()
        except (TypeError, ValueError):
            return None
        if any(one.kind is one.VAR_KEYWORD for one in found):
            return None
        return tuple(one.name for one in found if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY))

    def check_arguments(self, arguments: Iterable[str], where: str) -> None:
        """Check that the function takes `arguments` by keyword.

        Args:
            arguments: Names of arguments.
            where: Field of the spec that has them, such as ``data.arguments``.

        Raises:
            FunctionError: If it does not take one of them.
        """
        names = self.parameters()
        if names is None:
            return
        for name in arguments:
            if name not in names:
                allowed = did_you_mean(name, names) or f" (allowed: {', '.join(names) or 'no arguments'})"
                raise FunctionError(f"{where}: unknown argument of {self.reference}: {name!r}{allowed}")

    def call(self, **arguments: Any) -> Any:
        """Call the function. What it prints goes to stderr, which also names it if it takes long.

        Raises:
            FunctionError: If it raises or exits; the message names the line.
        """
        problem = f"{self.where}: {self.reference} failed"
        with import_path(self.root, self.files), named_if_slow(f"{self.where}: running {self.reference}"):
            return run_worded(lambda: self.function(**arguments), problem, self.files)


def load_function(reference: str, where: str) -> LoadedFunction:
    """Import the function that `reference` names. Files that were edited since are loaded again.

    Args:
        reference: ``module:function`` or ``file.py:function``. A relative path is relative to the current
            folder, where modules are looked for too.
        where: Field of the spec that names it, for messages.

    Raises:
        FunctionError: If there is no such file, module or function, or if importing it fails.
    """
    home, _, name = reference.rpartition(":")
    if not home or not name:
        raise FunctionError(f"{where}: not of the form module:function or file.py:function: {reference!r}")
    problem = f"{where}: {home} cannot be imported"
    if home.endswith(".py"):
        file = existing_file(home, where)
        root, load = file.parent, partial(execute_file, file, module_name(file))
    else:
        root, load = Path.cwd(), partial(importlib.import_module, home)
    importlib.invalidate_caches()
    with import_path(root), named_if_slow(f"{where}: importing {home}"):
        if not home.endswith(".py"):
            file = run_worded(partial(find_module, home, where), problem)
            root = root_of(file, home)
        files = () if is_installed(file) else tuple(imported_files(file, root))
        fingerprint = files_fingerprint(files, root)
        known_fingerprint, module = _loaded.get(file, ("", None))
        if module is None or fingerprint != known_fingerprint:
            with import_path(root if files else None, files):
                forget(files)  # they may have been edited since another import
                module = run_worded(load, problem, files)
        function = _attribute(module, name, where, home)
    if files:
        _loaded[file] = fingerprint, module
    else:
        fingerprint = _fingerprint_of_installed(function, reference)
    return LoadedFunction(
        reference=reference,
        where=where,
        function=function,
        code_fingerprint=fingerprint,
        files=files,
        root=root if files else None,
        module=module,
    )


def _attribute(module: ModuleType, name: str, where: str, home: str) -> Callable[..., Any]:
    found: Any = module
    for part in name.split("."):
        if not hasattr(found, part):
            names = [one for one in dir(found) if not one.startswith("_") and callable(getattr(found, one))]
            near = did_you_mean(part, names) or (f" (available: {', '.join(names[:10])})" if names else "")
            raise FunctionError(f"{where}: {home} has no function {name!r}{near}")
        found = getattr(found, part)
    if not callable(found):
        raise FunctionError(f"{where}: {name} in {home} is not a function but {type(found).__name__}")
    function: Callable[..., Any] = found
    return function


def _fingerprint_of_installed(function: Callable[..., Any], reference: str) -> str:
    try:
        file = Path(inspect.getsourcefile(inspect.unwrap(function)) or "")
        return files_fingerprint([file], file.parent)
    except (TypeError, OSError, ValueError):  # without source
        return hashlib.sha256(reference.encode()).hexdigest()[:16]
