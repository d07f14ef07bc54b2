"""Datasets in a folder with one subfolder of images per class."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dropout_lab.data.idx_files import expand_user
from dropout_lab.data.memory import check_memory
from dropout_lab.data.source import Array, Source
from dropout_lab.data.visible_files import is_passed_over, visible_files
from dropout_lab.errors import DataError, did_you_mean
from dropout_lab.seeds import generator
from dropout_lab.spec import DataSpec
from dropout_lab.user_code import named_if_slow

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
MODES = {"rgb": "RGB", "grayscale": "L", "rgba": "RGBA"}
TRAIN, TEST = "train", "test"
CHANNELS = {"1": 1, "L": 1, "P": 3, "RGB": 3, "RGBX": 3, "CMYK": 3, "YCbCr": 3, "LA": 4, "PA": 4, "RGBA": 4}
"""Channels by mode of Pillow; other modes have more than 8 bits per channel."""
BILINEAR = 2
"""How Pillow numbers the filter."""

Labeled = list[tuple[Path, str]]


def read_images(spec: DataSpec, where: str) -> Source:
    """Read ``CLASS/IMAGE`` in the folder ``spec.dataset``, or in its subfolders ``train`` and ``test``.

    Images are put into a fixed random order, so that the first of them are of all classes.

    Args:
        spec: Its folder, size and color mode.
        where: Begins messages.

    Returns:
        uint8 images, (n, height, width, channels), with the names of their folders as labels.

    Raises:
        DataError: If a folder is missing or has no images, an image is damaged or has another size, or
            all of them do not fit into memory.
    """
    folder = expand_user(spec.dataset) or Path(spec.dataset)
    classes = _subfolders(folder, where)
    if TEST in classes and TRAIN not in classes:
        raise DataError(f"{where}: a folder test, but no folder train beside it")
    parts = [folder / part for part in (TRAIN, TEST) if part in classes] or [folder]
    unused = [name for name in classes if TRAIN in classes and name not in (TRAIN, TEST)]
    notes = [f"{folder}: not used: {', '.join(unused)}"] if unused else []
    files = [_labeled_files(part, where) for part in parts]
    others = sum(1 for part in parts for _ in _other_files(part))
    if others:
        notes.append(f"{folder}: {others} files are no images (known: {', '.join(SUFFIXES)})")
    if (size := spec.image_size) is None:
        with opened(files[0][0][0]) as image:
            size = image.height, image.width
    num_bytes = sum(map(len, files)) * size[0] * size[1] * len(MODES[spec.color_mode])
    check_memory(num_bytes, where)
    with named_if_slow(f"{where}: reading {sum(map(len, files)):,} images"):
        arrays = [_read_all(part, size, spec) for part in files]
    labels = [np.array([label for _, label in part]) for part in files]
    return Source(
        train_inputs=arrays[0],
        train_labels=labels[0],
        test_inputs=arrays[1] if len(parts) > 1 else None,
        test_labels=labels[1] if len(parts) > 1 else None,
        name=folder.absolute().name,
        location=str(folder),
        notes=tuple(notes),
    )


def _subfolders(folder: Path, where: str) -> list[str]:
    try:
        return sorted(one.name for one in folder.iterdir() if one.is_dir() and not is_passed_over(one.name))
    except FileNotFoundError:
        near = ""
        if folder.absolute().parent.is_dir():
            near = did_you_mean(folder.name, (one.name for one in folder.absolute().parent.iterdir()))
        raise DataError(f"{where}: folder not found in {Path.cwd()}{near}") from None
    except OSError as error:
        raise DataError(f"{where}: cannot be read: {error.strerror or error}") from None


def _labeled_files(folder: Path, where: str) -> Labeled:
    """Return the images under `folder` with their classes, in a fixed random order."""
    found = [
        (path, name)
        for name in _subfolders(folder, where)
        for path in visible_files(folder / name)
        if path.suffix.lower() in SUFFIXES
    ]
    empty = sorted(set(_subfolders(folder, where)) - {name for _, name in found})
    if not found or empty:
        which = f" in {empty[0]}" if empty else ""
        raise DataError(
            f"{where}: no images{which} (allowed: one subfolder per class, with {', '.join(SUFFIXES)})"
        )
    return [found[index] for index in generator(0, "folder").permutation(len(found))]


def _other_files(folder: Path) -> Iterator[Path]:
    for path in visible_files(folder):
        if path.suffix.lower() not in SUFFIXES and path.name != "Thumbs.db":
            yield path


def _read_all(files: Labeled, size: tuple[int, int], spec: DataSpec) -> Array:
    mode = MODES[spec.color_mode]
    values = np.empty((len(files), *size, len(mode)), dtype=np.uint8)
    for index, (path, _) in enumerate(files):
        with opened(path) as image:
            if spec.image_size is None and (image.height, image.width) != size:
                raise DataError(
                    f"{path}: {image.height} x {image.width} pixels, others {size[0]} x {size[1]}",
                    hint=f"Set data.image_size, such as data.image_size=[{size[0]}, {size[1]}].",
                )
            image = image.convert(mode)
            if (image.height, image.width) != size:
                image = image.resize((size[1], size[0]), BILINEAR)
            values[index] = np.asarray(image).reshape(values.shape[1:])
    return values


@contextmanager
def opened(path: Path) -> Iterator["Image"]:
    """Open an image, turned as its EXIF data say.

    Raises:
        DataError: If it is none, here or while it is read, or if it has more than 8 bits per channel, which
            Pillow would clip.
    """
    import PIL.Image
    import PIL.ImageOps

    try:
        with warnings.catch_warnings(), PIL.Image.open(path) as image:
            warnings.simplefilter("ignore", PIL.Image.DecompressionBombWarning)
            if image.mode not in CHANNELS:
                raise DataError(
                    f"{path}: pixels of mode {image.mode} (allowed: 8 bits per channel)",
                    hint="Convert such images to 8 bits per channel, or give their values as an array.",
                )
            yield PIL.ImageOps.exif_transpose(image)
    except (OSError, SyntaxError, ValueError, PIL.Image.DecompressionBombError) as error:
        reason = "not an image" if isinstance(error, PIL.UnidentifiedImageError) else f"damaged ({error})"
        raise DataError(f"{path}: {reason}", hint="Repair the file, or move it out of the folder.") from None
