"""Read image files and arrays as inputs of a trained model."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dropout_lab.data.image_folders import BILINEAR, CHANNELS, SUFFIXES, opened
from dropout_lab.data.input_form import InputForm
from dropout_lab.data.inputs import prepare_inputs
from dropout_lab.data.source import Array
from dropout_lab.data.visible_files import visible_files
from dropout_lab.errors import DataError, did_you_mean

if TYPE_CHECKING:
    from PIL.Image import Image

ARRAY = ".npy"
_KINDS = {1: "grayscale", 3: "color", 4: "color with transparency"}
_MODES = {1: "L", 3: "RGB", 4: "RGBA"}


@dataclass(frozen=True, kw_only=True)
class Examples:
    """Inputs of a trained model.

    Attributes:
        names: Name of each example: its file, with the index if the file has several.
        inputs: Stored values, (n, *shape).
        notes: What was converted, in words.
    """

    names: tuple[str, ...]
    inputs: Array
    notes: tuple[str, ...] = ()


def read_examples(paths: Sequence[Path], form: InputForm) -> Examples:
    """Read files as inputs of a model.

    Images get the size and the color mode of the model, and the notes say so. Arrays are one example or a
    batch of examples, and are not converted.

    Args:
        paths: Image files, ``.npy`` files, or folders with such files.
        form: Form of the model's inputs.

    Raises:
        DataError: If a file is missing, damaged, or no input of this form.
    """
    names: list[str] = []
    parts: list[Array] = []
    conversions: dict[str, list[str]] = {}
    for path in (file for given in paths for file in _files(given)):
        if path.suffix.lower() == ARRAY:
            values = _read_array(path, form)
            names += [str(path)] if len(values) == 1 else [f"{path}[{index}]" for index in range(len(values))]
        else:
            values, changes = _read_image(path, form)
            names.append(str(path))
            if changes:
                conversions.setdefault(", ".join(changes), []).append(str(path))
        parts.append(values)
    notes = (f"{_subject(files)}: {change}" for change, files in conversions.items())
    return Examples(names=tuple(names), inputs=np.concatenate(parts), notes=tuple(notes))


def as_examples(values: Array, form: InputForm, where: str = "images") -> Array:
    """Return an array as (n, *shape) stored values of `form`.

    Args:
        values: One example, or a batch; the channel of grayscale images may be missing.
        form: Form of the model's inputs.
        where: Begins messages.

    Raises:
        DataError: If it is no input of this form.
    """
    values = np.asarray(values)
    shape = form.shape
    if shape[-1:] == (1,) and values.shape[-len(shape) + 1 :] == shape[:-1] and len(shape) > 1:
        values = values[..., np.newaxis]
    if values.shape == shape:
        values = values[np.newaxis]
    if values.shape[1:] != shape or len(values) == 0:
        batch = f"(n, {', '.join(map(str, shape))})"
        raise DataError(f"{where}: shape {values.shape} (allowed: {shape}, or {batch} for n examples)")
    stored = prepare_inputs(values, "the array", where)
    if form.dtype == "float32":
        return stored.astype(np.float32)
    low, high = stored.min(), stored.max()
    if form.dtype == "uint8" and stored.dtype.kind == "f" and high <= 1:
        raise DataError(
            f"{where}: floats from {low:g} to {high:g}, but the model was trained on integers from 0 to 255",
            hint="Multiply them by 255, or choose `--scale none` for values as the network sees them.",
        )
    limits = np.iinfo(form.dtype)
    is_whole = stored.dtype.kind != "f" or bool((stored == np.round(stored)).all())
    if not (is_whole and limits.min <= low and high <= limits.max):
        raise DataError(
            f"{where}: values from {low:g} to {high:g} (allowed: integers from {limits.min} to {limits.max},"
            " as in training)",
            hint="Choose `--scale none` for values as the network sees them.",
        )
    return stored.astype(form.dtype)


def _files(given: Path) -> Iterator[Path]:
    """Yield the file `given`, or the files in that folder, sorted; see `visible_files`."""
    if given.is_dir():
        found = [path for path in visible_files(given) if path.suffix.lower() in (*SUFFIXES, ARRAY)]
        if not found:
            raise DataError(f"{given}: no images (allowed: {', '.join((*SUFFIXES, ARRAY))})")
        yield from found
    elif not given.exists():
        parent = given.absolute().parent
        near = did_you_mean(given.name, (one.name for one in parent.iterdir())) if parent.is_dir() else ""
        raise DataError(f"{given}: file not found{near}")
    elif given.suffix.lower() not in (*SUFFIXES, ARRAY):
        raise DataError(f"{given}: unknown suffix (allowed: {', '.join((*SUFFIXES, ARRAY))})")
    else:
        yield given


def _read_array(path: Path, form: InputForm) -> Array:
    try:
        values = np.load(path, allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise DataError(f"{path}: not an array of NumPy, or damaged ({error})") from None
    return as_examples(values, form, str(path))


def _read_image(path: Path, form: InputForm) -> tuple[Array, list[str]]:
    """Return an image as (1, height, width, channels) uint8, and what was converted."""
    if not form.holds_images:
        raise DataError(
            f"{path}: the model takes {form.dtype} values of shape {form.shape}, which no image file holds",
            hint="Give an array (.npy), or choose `--scale unit` if the network sees pixels divided by 255.",
        )
    height, width, channels = form.shape
    with opened(path) as image:
        own = _channels(image)
        size = image.height, image.width
        changes = []
        if own != channels:
            changes.append(f"converted {_KINDS[own]} to {_KINDS[channels]}")
        if size != (height, width):
            changes.append(f"resized {size[0]}x{size[1]} to {height}x{width}")
        image = image.convert(_MODES[channels])
        if size != (height, width):
            image = image.resize((width, height), BILINEAR)
        return np.asarray(image, np.uint8).reshape(1, *form.shape), changes


def _channels(image: "Image") -> int:
    has_alpha = image.mode == "P" and "transparency" in image.info
    return 4 if has_alpha else CHANNELS[image.mode]


def _subject(files: Sequence[str]) -> str:
    return files[0] if len(files) == 1 else f"{len(files)} images"
