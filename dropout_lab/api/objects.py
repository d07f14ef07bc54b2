"""A spec for a network and data that Python code gives as objects."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dropout_lab.errors import UsageError
from dropout_lab.runs.workspace import STATE_ROOT
from dropout_lab.spec import DataSpec, Settings, Spec, override_spec

GIVEN = STATE_ROOT / "given"
"""Folder of networks and arrays, named after their content: runs are resumed with these files alone."""
SOME_NETWORK = "given.keras"


def spec_of_objects(
    model: Any, data: Any, conditions: Mapping[str, Any] | None, texts: Sequence[str]
) -> Spec:
    """Return the spec for a network and data, which are written to files if they are objects.

    Args:
        model: What `run` takes: a Keras model, a function, or what ``model.network`` names; None: default.
        data: What `run` takes: arrays, or what ``data.dataset`` names; None: default.
        conditions: Dropout rates, or settings, by name of the condition.
        texts: Overrides.

    Raises:
        UsageError: If an argument is invalid; nothing was written then.
        DataError, FunctionError: If the data or the network cannot be used.
    """
    from dropout_lab.data.given import name_arrays, path_for

    arrays = None if data is None or isinstance(data, str | Path) else name_arrays(data)
    settings: dict[str, Any] = {"name": _name(model), "model": {}, "data": {}}
    if data is not None:
        settings["data"] = {"dataset": str(data if arrays is None else path_for(arrays, GIVEN))}
    is_object = model is not None and not isinstance(model, str | Path)
    if is_object and not callable(model):
        raise UsageError(
            f"model: {type(model).__name__} (allowed: a Keras model, a function that returns one, or a name)"
        )
    if model is not None:
        settings["model"] = {"network": SOME_NETWORK if is_object else str(model)}
    if conditions is not None:
        settings["conditions"] = {name: _condition(change) for name, change in conditions.items()}
    spec = override_spec(Spec(**settings), texts)
    if arrays is not None:
        _save(arrays, Path(spec.data.dataset), spec.data)
    return override_spec(spec, [f"model.network={_save_network(model, spec.data)}"]) if is_object else spec


def _name(model: Any) -> str:
    """Return a name for the spec, after the network; Keras counts models of one name."""
    name = re.sub(r"_\d+$", "", str(getattr(model, "name", None) or getattr(model, "__name__", "")))
    return re.sub(r"[^A-Za-z0-9._+-]+", " ", name).strip(" ._+-") or "experiment"


def _condition(change: Any) -> Any:
    """Return the settings of a condition, which may be given as its dropout alone."""
    if isinstance(change, Mapping) and set(change) <= set(Settings.model_fields):
        return change
    return {"model": {"dropout": change}}


def _save(arrays: Mapping[str, Any], path: Path, spec: DataSpec) -> None:
    """Write arrays, unless they were written before; none stay that cannot be used."""
    from dropout_lab.data.given import save_arrays
    from dropout_lab.data.selection import load_data

    if path.exists():
        return
    save_arrays(arrays, path)
    try:
        load_data(spec)
    except BaseException:
        path.unlink()
        raise


def _save_network(model: Callable[..., Any], spec: DataSpec) -> Path:
    from dropout_lab.data.selection import load_data
    from dropout_lab.models.given import save_network

    data = load_data(spec)
    return save_network(model, GIVEN, data.input_shape, data.num_classes)
