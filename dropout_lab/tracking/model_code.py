"""The user's code that a logged model needs, and how MLflow loads the model with it."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from mlflow.models import Model

FOLDER = "code"
LOADER = "load_with_code"

LOADER_SOURCE = '''"""Load the model of this folder with the classes and functions of its code.

``mlflow.pyfunc.load_model`` does so. Elsewhere, with this folder on the import path:
``mlflow.keras.load_model(uri, custom_objects=load_with_code.custom_objects())``.
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
    if MODULE not in sys.modules or Path(sys.modules[MODULE].__file__).resolve() != folder / FILE:
        spec = importlib.util.spec_from_file_location(MODULE, folder / FILE)
        module = importlib.util.module_from_spec(spec)
        sys.modules[MODULE] = module
        spec.loader.exec_module(module)
    modules = [one for one in list(sys.modules.values()) if str(folder) in str(getattr(one, "__file__", ""))]
    return {{
        name: value
        for module in modules
        for name, value in vars(module).items()
        if callable(value) and not str(getattr(value, "__module__", "")).startswith("keras.")
    }}


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
    source = LOADER_SOURCE.format(module=code.module, file=code.main.relative_to(code.root).as_posix())
    (folder / FOLDER / f"{LOADER}.py").write_text(source, encoding="utf-8")
    described.flavors["python_function"] |= {"code": FOLDER, "loader_module": LOADER}
    described.save(str(folder / "MLmodel"))
