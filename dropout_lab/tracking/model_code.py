"""The user's code that a logged model needs, and how MLflow loads the model with it."""

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from mlflow.models import Model

FOLDER = "code"
LOADER = "load_with_code"
"""Beginning of the name of the module that loads a model, and all of it in models that were logged before.
Python would take the module of one model for that of another if both had this name."""

LOADER_SOURCE = '''"""Load the model of this folder with the classes and functions of its code.

``mlflow.pyfunc.load_model`` does so. Elsewhere, with this folder on the import path:
``mlflow.keras.load_model(uri, custom_objects={loader}.custom_objects())``.
"""

import importlib.util
import sys
from pathlib import Path

import keras
import mlflow.keras

MODULE = {module!r}
FILE = {file!r}


def custom_objects():
    """Return the classes and functions that the model may need, by name."""
    folder = Path(__file__).resolve().parent
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    own = sorted(name_of(file.relative_to(folder)) for file in folder.rglob("*.py"))
    # Whatever has the same names now, such as modules of another model.
    names = [name for name in dict.fromkeys([*own, MODULE]) if name in sys.modules and name != __name__]
    others = {{name: sys.modules.pop(name) for name in names}}
    try:
        spec = importlib.util.spec_from_file_location(MODULE, folder / FILE)
        module = importlib.util.module_from_spec(spec)
        sys.modules[MODULE] = module
        spec.loader.exec_module(module)
        helpers = [name for name in own if name not in (MODULE, __name__) and name in sys.modules]
        modules = [*(sys.modules[name] for name in helpers), module]
    finally:
        sys.modules.update(others)
    return {{
        name: value
        for module in modules
        for name, value in vars(module).items()
        if callable(value) and not str(getattr(value, "__module__", "")).startswith("keras.")
    }}


def name_of(file):
    """Return the dotted name of the module in a file."""
    return ".".join(file.with_suffix("").parts).removesuffix(".__init__")


def _load_pyfunc(path):
    with keras.saving.custom_object_scope(custom_objects()):
        return mlflow.keras._load_pyfunc(path)
'''


@dataclass(frozen=True, kw_only=True)
class ModelCode:
    """Code of the user's that a model needs.

    Attributes:
        root: Folder in which it finds its imports.
        files: Its files, under `root`.
        main: The one of them that defines the network.
        module: Name under which this is imported.
    """

    root: Path
    files: tuple[Path, ...]
    main: Path
    module: str


def add_code(described: Model, folder: Path, code: ModelCode) -> None:
    """Add `code` to the model saved in `folder`, so that MLflow loads it in any process.

    Args:
        described: Description of the model, written again.
        folder: Folder of the model.
        code: Code of the user's.
    """
    for file in code.files:
        copy = folder / FOLDER / file.relative_to(code.root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, copy)
    content = b"".join(file.read_bytes() for file in (*code.files, code.main))
    loader = f"{LOADER}_{hashlib.sha256(content).hexdigest()[:16]}"
    main = code.main.relative_to(code.root).as_posix()
    source = LOADER_SOURCE.format(module=code.module, file=main, loader=loader)
    (folder / FOLDER / f"{loader}.py").write_text(source, encoding="utf-8")
    described.flavors["python_function"] |= {"code": FOLDER, "loader_module": loader}
    described.save(str(folder / "MLmodel"))
