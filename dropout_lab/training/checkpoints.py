"""Training state on disk: written atomically, verified when read, the last two kept.

A file is a line with its format and the SHA-256 of everything after it, a line of JSON with the progress, and
a NumPy npz archive of the variables of the model and the optimizer. Reading it executes none of it.
"""

import contextlib
import dataclasses
import hashlib
import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from dropout_lab.files import write_atomically
from dropout_lab.records import EpochMetrics
from dropout_lab.training.progress import Progress

FORMAT = "dropout_lab checkpoint 3"
NUM_KEPT = 2


class DamagedCheckpointError(Exception):
    """A checkpoint cannot be read, or does not hold what was written to it."""


def state_variables(model: keras.Model, optimizer: keras.optimizers.Optimizer) -> list[keras.Variable]:
    """Return everything that training changes: weights, statistics, random streams and optimizer state."""
    return [*model.variables, *optimizer.variables]


def save_checkpoint(folder: Path, progress: Progress, variables: Sequence[keras.Variable]) -> Path:
    """Write the state into `folder` atomically, and remove all but the last two checkpoints.

    Raises:
        OSError: If writing fails; earlier checkpoints are unchanged.
    """
    arrays = {f"{index:03d}": variable.numpy() for index, variable in enumerate(variables)}
    content = io.BytesIO()
    content.write(json.dumps(dataclasses.asdict(progress)).encode() + b"\n")
    np.savez(content, **arrays)
    header = f"{FORMAT} {hashlib.sha256(content.getbuffer()).hexdigest()}\n"
    earlier = checkpoint_files(folder)
    number = 1 + (int(earlier[-1].stem) if earlier else 0)
    path = folder / f"{number:08d}.checkpoint"
    write_atomically(path, header.encode() + content.getbuffer())
    for old in earlier[: len(earlier) + 1 - NUM_KEPT]:
        # The new state is safe. An old one that cannot be removed is no reason to end the training.
        with contextlib.suppress(OSError):
            old.unlink()
    return path


def load_checkpoint(path: Path, variables: Sequence[keras.Variable]) -> Progress:
    """Put the state in `path` into `variables`, all of them or none.

    Returns:
        The progress to continue from.

    Raises:
        DamagedCheckpointError: If the file cannot be read, is truncated or changed, or belongs to another
            network or format.
    """
    progress_line, _, payload = _verified(path).partition(b"\n")
    try:
        progress = _progress(json.loads(progress_line))
        with np.load(io.BytesIO(payload), allow_pickle=False) as arrays:
            values = [_typed(arrays[f"{index:03d}"], variable) for index, variable in enumerate(variables)]
    except (ValueError, TypeError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise DamagedCheckpointError(f"{path.name} is damaged: {error}") from None
    for value, variable in zip(values, variables, strict=True):
        if value.shape != tuple(variable.shape):
            raise DamagedCheckpointError(
                f"{path.name} belongs to another network: {variable.path} expected shape {variable.shape},"
                f" received {value.shape}"
            )
    for value, variable in zip(values, variables, strict=True):
        variable.assign(value)
    return progress


def _typed(value: npt.NDArray[Any], variable: keras.Variable) -> npt.NDArray[Any]:
    """Return `value` in the type of `variable` if NumPy, which lacks bfloat16, has read it as raw bytes."""
    return value.view(variable.numpy().dtype) if value.dtype.kind == "V" else value


def checkpoint_files(folder: Path) -> list[Path]:
    """Return the checkpoints in `folder`, the newest last."""
    return sorted(path for path in folder.glob("*.checkpoint") if path.stem.isdecimal())


def _verified(path: Path) -> bytes:
    """Return the payload after verifying its checksum."""
    try:
        header, _, content = path.read_bytes().partition(b"\n")
    except OSError as error:
        raise DamagedCheckpointError(f"{path.name} cannot be read: {error.strerror}") from None
    if not header.startswith(FORMAT.encode()):
        raise DamagedCheckpointError(f"{path.name} is not in the format {FORMAT!r}")
    if header != f"{FORMAT} {hashlib.sha256(content).hexdigest()}".encode():
        raise DamagedCheckpointError(f"{path.name} is damaged: its checksum does not match")
    return content


def _progress(fields: dict[str, Any]) -> Progress:
    epochs = tuple(EpochMetrics(**epoch) for epoch in fields.pop("epochs"))
    return Progress(epochs=epochs, **fields)
