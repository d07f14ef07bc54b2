"""A new study: a commented spec, and the functions that it names."""

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Literal, get_args

from dropout_lab.errors import UsageError, did_you_mean
from dropout_lab.files import write_atomically

DataTemplate = Literal["function", "digits", "fashion_mnist"]
"""``function`` writes a ``data.py``; the others are names of datasets."""

NetworkTemplate = Literal["function", "mlp", "lenet5", "published"]
"""``function`` writes a ``network.py``; the others are built in."""

SPEC = "spec.yaml"


def create_study(
    folder: str | Path = ".", *, data: str = "function", network: str = "function"
) -> list[Path]:
    """Write a commented spec, the functions that it names, its schema and a README into `folder`.

    They run as they are: ``dropout-lab run spec.yaml`` in that folder.

    Args:
        folder: Folder to write to; it is created, and may contain other files.
        data: ``function`` (a ``data.py`` to edit), or a dataset: ``digits``, ``fashion_mnist``.
        network: ``function`` (a ``network.py`` to edit), or a network: ``mlp``, ``lenet5``, ``published``.

    Returns:
        Paths of the files.

    Raises:
        UsageError: If a choice is unknown, a file exists, or the folder cannot be written. Nothing is
            overwritten.
    """
    _check("data", data, get_args(DataTemplate))
    _check("network", network, get_args(NetworkTemplate))
    target = Path(folder)
    contents = _contents(_name(target), data, network)
    existing = [name for name in contents if (target / name).exists()]
    if existing:
        raise UsageError(
            f"{target / existing[0]} already exists; nothing was written.",
            hint="Name another folder: `dropout-lab init FOLDER`.",
        )
    try:
        target.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            write_atomically(target / name, content.encode())
    except OSError as error:
        raise UsageError(f"{error.filename or target} cannot be written: {error.strerror}") from None
    return [target / name for name in contents]


def _contents(name: str, data: str, network: str) -> dict[str, str]:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    from dropout_lab.spec import json_schema

    environment = Environment(
        loader=PackageLoader("dropout_lab", "templates"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,
    )
    choices = {"name": name, "data": data, "network": network}
    contents = {SPEC: environment.get_template(f"{SPEC}.j2").render(choices)}
    for file, choice in {"data.py": data, "network.py": network}.items():
        if choice == "function":
            contents[file] = (files("dropout_lab") / "templates" / file).read_text(encoding="utf-8")
    schema = json.dumps(json_schema(), indent=2)
    return {
        **contents,
        "spec.schema.json": f"{schema}\n",
        "README.md": environment.get_template("README.md.j2").render(choices),
    }


def _name(folder: Path) -> str:
    """Return the folder's name in characters that a spec's name may have."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", folder.resolve().name).strip("-_")[:100] or "study"


def _check(argument: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        near = did_you_mean(value, allowed)
        raise UsageError(f"{argument}: unknown template {value!r}{near} (allowed: {', '.join(allowed)})")
