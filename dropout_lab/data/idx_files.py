"""The four IDX files of Fashion-MNIST: the folders to search, and checks of their content.

The format is that of the MNIST page of LeCun, Cortes and Burges: a big-endian magic number, the
dimensions, then one byte per element.
"""

# ruff: noqa: PTH112, PTH113 - Path.is_dir and is_file raise if a name is too long or a folder unreadable

import gzip
import hashlib
import os
import re
import tempfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dropout_lab.errors import DataError

OFFICIAL_CHECKSUMS: Mapping[str, str] = {
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
"""SHA-256 of the *uncompressed* files: packagers recompress them, so checksums of the .gz do not hold."""

CHECKSUM_FILE = "SHA256SUMS"
"""Checksum file of a folder with other images: format of ``sha256sum``, over the uncompressed bytes."""

FOLDER_VARIABLE = "DROPOUT_LAB_DATA"
DEBIAN_FOLDER = Path("/usr/share/datasets/fashion-mnist")
IMAGE_SIZE = 28
NUM_CLASSES = 10
MAX_FILE_BYTES = 64 * 2**20
FETCH_HINT = (
    "To get the files, run `dropout-lab data` with access to the internet, run `dropout-lab data --install` "
    "or `apt-get install dataset-fashion-mnist` on Debian or Ubuntu, or copy the four files to a folder and "
    f"name it in {FOLDER_VARIABLE}."
)

ByteArray = npt.NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class IdxFile:
    """One file, read and checked.

    Attributes:
        path: Path of the file.
        checksum: SHA-256 of its uncompressed bytes.
        values: uint8, (n, 28, 28) of images or (n,) of labels; read-only.
    """

    path: Path
    checksum: str
    values: ByteArray


def keras_cache() -> Path:
    """Return the folder in which ``keras.datasets.fashion_mnist`` caches the files.

    It is in a folder for temporary files, as for Keras, if the user has no home or cannot write there.
    """
    places = Path("datasets", "fashion-mnist")
    if named := os.environ.get("KERAS_HOME"):
        return (expand_user(named) or Path(named)) / places
    home = expand_user("~")
    if home is not None and (os.path.isdir(home / ".keras" / places) or os.access(home, os.W_OK)):
        return home / ".keras" / places
    return Path(tempfile.gettempdir()) / ".keras" / places


def expand_user(name: str) -> Path | None:
    """Return the path `name` with ``~`` expanded; None if that user has no known home."""
    try:
        return Path(name).expanduser()
    except RuntimeError:
        return None


def named_folder(folder: str | None) -> Path | None:
    """Return the folder that the spec, else DROPOUT_LAB_DATA, names; None if neither does."""
    name = folder or os.environ.get(FOLDER_VARIABLE)
    return (expand_user(name) or Path(name)) if name else None


def find_file(folder: Path, name: str) -> Path | None:
    """Return the path of file `name` in `folder`, uncompressed or else as .gz."""
    candidates = (folder / name, folder / f"{name}.gz")
    return next((path for path in candidates if os.path.isfile(path)), None)


def missing_files(folder: Path) -> list[str]:
    """Return the names of the files that `folder` lacks."""
    return [name for name in OFFICIAL_CHECKSUMS if find_file(folder, name) is None]


def locate(folder: str | None = None, *, source: str = "data.folder of the spec") -> Path | None:
    """Return the first folder with the four files, or None if no default folder has them.

    Args:
        folder: A named folder. If there is one, or DROPOUT_LAB_DATA names one, no other is searched.
        source: Where `folder` is named, for error messages.

    Raises:
        DataError: If the named folder is missing or lacks a file.
    """
    named = named_folder(folder)
    if named is None:
        return next((place for place in (keras_cache(), DEBIAN_FOLDER) if not missing_files(place)), None)
    source = source if folder else FOLDER_VARIABLE
    hint = f"Correct {source}, or remove it to use the default folders. {FETCH_HINT}"
    if not os.path.isdir(named):
        raise DataError(f"{source}: folder {str(named)!r} not found or not readable", hint=hint)
    missing = missing_files(named)
    if missing:
        raise DataError(
            f"{source}: folder {str(named)!r} lacks {len(missing)} of {len(OFFICIAL_CHECKSUMS)} files "
            f"(plain or .gz): {', '.join(missing)}",
            hint=hint,
        )
    return named


def read_files(folder: Path) -> dict[str, IdxFile]:
    """Read the four files in `folder` and check them: format, shapes and checksums.

    Returns:
        The files by their uncompressed names.

    Raises:
        DataError: If a file is missing, truncated, corrupt, has an unexpected shape, or a checksum other than
            in SHA256SUMS of the folder or, without that, of the official file.
    """
    expected = {**OFFICIAL_CHECKSUMS, **_listed_checksums(folder)}
    files = {name: read_file(folder, name, expected[name]) for name in OFFICIAL_CHECKSUMS}
    for part in ("train", "t10k"):
        images, labels = files[f"{part}-images-idx3-ubyte"], files[f"{part}-labels-idx1-ubyte"]
        if len(images.values) != len(labels.values):
            raise _damaged(
                labels.path, f"{len(images.values)} labels, one per image", f"{len(labels.values)}"
            )
    return files


def _listed_checksums(folder: Path) -> dict[str, str]:
    path = folder / CHECKSUM_FILE
    if not path.is_file():
        return {}
    text = path.read_text(encoding="utf-8", errors="replace")
    lines = (re.fullmatch(r"([0-9a-f]{64}) [ *](.+)", line.rstrip()) for line in text.splitlines())
    return {match[2]: match[1] for match in lines if match and match[2] in OFFICIAL_CHECKSUMS}


def read_file(folder: Path, name: str, expected_checksum: str | None = None) -> IdxFile:
    """Read file `name` in `folder` and check it against `expected_checksum`, else the official one.

    Raises:
        DataError: If it is missing, damaged, or another file.
    """
    expected_checksum = expected_checksum or OFFICIAL_CHECKSUMS[name]
    path = find_file(folder, name)
    if path is None:
        raise DataError(f"{folder / name} (plain or .gz) not found", hint=FETCH_HINT)
    raw = _read_bytes(path)
    values = _parse_idx(path, raw, (IMAGE_SIZE, IMAGE_SIZE) if "images" in name else ())
    checksum = hashlib.sha256(raw).hexdigest()
    if checksum != expected_checksum:
        raise _damaged(path, f"SHA-256 {expected_checksum} of the uncompressed bytes", checksum)
    if "labels" in name and values.size and values.max() >= NUM_CLASSES:
        raise _damaged(path, f"labels from 0 to {NUM_CLASSES - 1}", f"a label {values.max()}")
    return IdxFile(path=path, checksum=checksum, values=values)


def _read_bytes(path: Path) -> bytes:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)
    except EOFError:
        raise _damaged(path, "a complete gzip file", "a truncated one") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise _damaged(path, "a gzip file", f"corrupt bytes ({error})") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from None
    if len(raw) > MAX_FILE_BYTES:
        raise _damaged(path, f"at most {MAX_FILE_BYTES:,} uncompressed bytes", "more")
    return raw


def _parse_idx(path: Path, raw: bytes, item_shape: tuple[int, ...]) -> ByteArray:
    """Return the elements of IDX bytes `raw` as uint8 (n, *item_shape)."""
    num_dimensions = 1 + len(item_shape)
    num_header_bytes = 4 * (1 + num_dimensions)
    if len(raw) < num_header_bytes:
        raise _damaged(path, f"an IDX header of {num_header_bytes} bytes", f"{len(raw)} bytes (truncated)")
    header = np.frombuffer(raw, dtype=">u4", count=1 + num_dimensions)
    magic = 0x0800 + num_dimensions
    if header[0] != magic:
        raise _damaged(path, f"IDX magic number {magic}", f"{header[0]}")
    shape = tuple(int(size) for size in header[1:])
    if shape[1:] != item_shape or shape[0] == 0:
        wanted = " x ".join(["n", *map(str, item_shape)])
        raise _damaged(path, f"shape {wanted}", " x ".join(map(str, shape)))
    num_bytes = num_header_bytes + int(np.prod(shape, dtype=object))
    if len(raw) != num_bytes:
        fault = "truncated" if len(raw) < num_bytes else "too long"
        raise _damaged(path, f"{num_bytes:,} bytes according to its header", f"{len(raw):,} ({fault})")
    return np.frombuffer(raw, dtype=np.uint8, offset=num_header_bytes).reshape(shape)


def _damaged(path: Path, expected: str, received: str) -> DataError:
    return DataError(
        f"{path}: expected {expected}, received {received}",
        hint="No file was changed. Move this one away, then run `dropout-lab data` to download it.",
    )
