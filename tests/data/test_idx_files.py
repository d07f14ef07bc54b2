import gzip
import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dropout_lab.data import idx_files
from dropout_lab.data.idx_files import (
    CHECKSUM_FILE,
    OFFICIAL_CHECKSUMS,
    keras_cache,
    locate,
    read_file,
    read_files,
)
from dropout_lab.errors import DataError

IMAGES = "t10k-images-idx3-ubyte"
LABELS = "t10k-labels-idx1-ubyte"


@pytest.fixture
def folder(tmp_path: Path, subset: Path) -> Path:
    """A copy of the small dataset, uncompressed."""
    for name in OFFICIAL_CHECKSUMS:
        (tmp_path / name).write_bytes(gzip.decompress((subset / f"{name}.gz").read_bytes()))
    shutil.copy(subset / CHECKSUM_FILE, tmp_path)
    return tmp_path


def test_reads_compressed_and_plain_files_alike(folder, subset):
    compressed, plain = read_files(subset), read_files(folder)
    for name in OFFICIAL_CHECKSUMS:
        assert compressed[name].checksum == plain[name].checksum
        assert np.array_equal(compressed[name].values, plain[name].values)
    assert plain[IMAGES].values.shape == (500, 28, 28)
    assert plain[IMAGES].values.dtype == np.uint8
    assert plain["train-labels-idx1-ubyte"].values.shape == (1000,)
    assert set(np.unique(plain[LABELS].values)) == set(range(10))


def test_the_official_files_are_what_their_authors_describe(whole_dataset):
    files = read_files(whole_dataset)
    train_inputs, train_labels = files["train-images-idx3-ubyte"], files["train-labels-idx1-ubyte"]
    assert {name: file.checksum for name, file in files.items()} == OFFICIAL_CHECKSUMS
    assert train_inputs.values.shape == (60_000, 28, 28)
    assert np.bincount(train_labels.values).tolist() == [6_000] * 10
    assert np.bincount(files[LABELS].values).tolist() == [1_000] * 10
    assert train_inputs.values.mean() / 255 == pytest.approx(0.2860, abs=5e-5)
    assert train_inputs.values.std() / 255 == pytest.approx(0.3530, abs=5e-5)


def test_the_subset_is_the_beginning_of_the_official_files(whole_dataset, subset):
    whole, small = read_files(whole_dataset), read_files(subset)
    for name in OFFICIAL_CHECKSUMS:
        values = small[name].values
        assert np.array_equal(values, whole[name].values[: len(values)])


def _idx(magic: int, *sizes: int, num_bytes: int) -> bytes:
    return np.array([magic, *sizes], dtype=">u4").tobytes() + bytes(num_bytes)


DAMAGE = {
    "empty": (IMAGES, b"", "header"),
    "header only": (IMAGES, _idx(0x0803, 500, 28, 28, num_bytes=0), "truncated"),
    "one byte short": (LABELS, _idx(0x0801, 500, num_bytes=499), "truncated"),
    "one byte more": (LABELS, _idx(0x0801, 500, num_bytes=501), "too long"),
    "labels for images": (IMAGES, _idx(0x0801, 500, num_bytes=500), "magic number 2051, received 2049"),
    "images for labels": (LABELS, _idx(0x0803, 1, 28, 28, num_bytes=784), "magic number 2049"),
    "other size": (IMAGES, _idx(0x0803, 500, 32, 32, num_bytes=500 * 32 * 32), "n x 28 x 28, received 500 x"),
    "no images": (IMAGES, _idx(0x0803, 0, 28, 28, num_bytes=0), "shape"),
    "sizes that overflow": (IMAGES, _idx(0x0803, 2**32 - 1, 28, 28, num_bytes=784), "truncated"),
    "other content": (LABELS, _idx(0x0801, 500, num_bytes=500), "SHA-256"),
    "not IDX": (LABELS, b"<html>not found</html>", "magic number"),
}


@pytest.mark.parametrize("name, raw, told", DAMAGE.values(), ids=DAMAGE.keys())
@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "gz"])
def test_a_damaged_file_is_named_and_left_as_it_is(folder, name, raw, told, compressed):
    path = folder / name
    if compressed:
        path.unlink()
        path = folder / f"{name}.gz"
        raw = gzip.compress(raw)
    path.write_bytes(raw)
    with pytest.raises(DataError) as caught:
        read_files(folder)
    assert caught.value.message.startswith(f"{path}: expected ")
    assert told in caught.value.message
    assert path.read_bytes() == raw


@pytest.mark.parametrize(
    "damage, told",
    [
        (lambda raw: raw[: len(raw) // 2], "truncated"),
        (lambda raw: raw[:50] + bytes(50) + raw[100:], "corrupt"),
        (lambda raw: b"PK" + raw[2:], "corrupt"),
        (lambda raw: raw[:-8] + bytes(8), "corrupt"),
    ],
    ids=["cut in half", "bytes zeroed", "no gzip", "checksum at the end zeroed"],
)
def test_a_damaged_gzip_file_is_named(subset, tmp_path, damage, told):
    path = tmp_path / f"{IMAGES}.gz"
    path.write_bytes(damage((subset / f"{IMAGES}.gz").read_bytes()))
    with pytest.raises(DataError, match=told) as caught:
        read_file(tmp_path, IMAGES)
    assert str(path) in caught.value.message


def test_a_gzip_bomb_is_refused(tmp_path):
    (tmp_path / f"{LABELS}.gz").write_bytes(gzip.compress(bytes(70 * 2**20), compresslevel=1))
    with pytest.raises(DataError, match="at most 67,108,864 uncompressed bytes"):
        read_file(tmp_path, LABELS)


def test_images_and_labels_of_other_numbers_are_refused(folder):
    raw = _idx(0x0801, 499, num_bytes=499)
    (folder / LABELS).write_bytes(raw)
    sums = folder / CHECKSUM_FILE
    lines = [line for line in sums.read_text().splitlines() if LABELS not in line]
    sums.write_text("\n".join([*lines, f"{hashlib.sha256(raw).hexdigest()}  {LABELS}"]))
    with pytest.raises(DataError, match="500 labels, one per image, received 499"):
        read_files(folder)


def test_a_label_of_no_class_is_refused(folder):
    raw = _idx(0x0801, 500, num_bytes=499) + b"\x0a"
    (folder / LABELS).write_bytes(raw)
    with pytest.raises(DataError, match="labels from 0 to 9, received a label 10"):
        read_file(folder, LABELS, hashlib.sha256(raw).hexdigest())


def test_other_images_need_checksums_beside_them(folder):
    (folder / CHECKSUM_FILE).unlink()
    with pytest.raises(DataError, match=OFFICIAL_CHECKSUMS["train-images-idx3-ubyte"]):
        read_files(folder)


def test_the_named_folder_is_the_only_one_looked_at(monkeypatch, tmp_path, subset):
    cache = tmp_path / "keras"
    monkeypatch.setenv("KERAS_HOME", str(cache))
    shutil.copytree(subset, keras_cache())
    monkeypatch.delenv("DROPOUT_LAB_DATA")
    assert locate() == keras_cache()

    monkeypatch.setenv("DROPOUT_LAB_DATA", str(subset))
    assert locate() == subset
    assert locate(str(keras_cache())) == keras_cache()

    monkeypatch.setenv("DROPOUT_LAB_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match=r"DROPOUT_LAB_DATA: folder .*nowhere' not found"):
        locate()
    with pytest.raises(DataError, match=r"data\.folder of the spec"):
        locate(str(tmp_path / "nowhere"))


@pytest.mark.parametrize("name", ["x" * 300, "a\0b", "~nobody-of-this-name/data", "/dev/null"])
def test_a_strange_folder_name_is_an_error_that_names_it(name):
    with pytest.raises(DataError, match="not found or not readable"):
        locate(name)


@pytest.mark.parametrize("missing", OFFICIAL_CHECKSUMS)
def test_a_named_folder_without_a_file_is_an_error_that_names_it(folder, missing):
    (folder / missing).unlink()
    with pytest.raises(DataError, match=rf"lacks 1 of 4 files \(plain or .gz\): {missing}\n") as caught:
        locate(str(folder))
    assert "dropout-lab data" in caught.value.hint


def test_an_incomplete_default_folder_is_passed_over(monkeypatch, tmp_path, subset):
    monkeypatch.delenv("DROPOUT_LAB_DATA")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr("dropout_lab.data.idx_files.DEBIAN_FOLDER", subset)
    keras_cache().mkdir(parents=True)
    shutil.copy(subset / f"{IMAGES}.gz", keras_cache())
    assert locate() == subset


def _never_anything_but_a_data_error(folder: Path, raw: bytes, name: str, compress: bool) -> None:
    path = folder / (f"{name}.gz" if compress else name)
    path.write_bytes(raw)
    with pytest.raises(DataError) as caught:
        read_file(folder, name)
    assert caught.value.message.startswith(f"{path}: expected ")
    path.unlink()


# What a damaged file looks like: nearly right bytes, cut, stretched or changed in places.
HEADERS = st.builds(
    lambda magic, sizes: np.array([magic, *sizes], dtype=">u4").tobytes(),
    st.sampled_from([0x0801, 0x0803, 0, 0x0D03, 2**32 - 1]),
    st.lists(st.sampled_from([0, 1, 28, 500, 10_000, 2**31, 2**32 - 1]), max_size=4),
)
DAMAGED_BYTES = st.builds(
    lambda raw, cut, compress: (gzip.compress(raw, 1, mtime=0) if compress else raw)[: cut or None],
    st.builds(bytes.__add__, HEADERS, st.binary(max_size=2_000)),
    st.integers(-20, 20),
    st.booleans(),
) | st.binary(max_size=200)
CASES = given(raw=DAMAGED_BYTES, name=st.sampled_from([IMAGES, LABELS]), compress=st.booleans())


@settings(max_examples=300)
@CASES
def test_no_bytes_are_taken_for_the_dataset(tmp_path_factory, raw, name, compress):
    _never_anything_but_a_data_error(tmp_path_factory.getbasetemp(), raw, name, compress)


@pytest.mark.slow
@settings(max_examples=10_000)
@CASES
def test_no_bytes_of_ten_thousand_are_taken_for_the_dataset(tmp_path_factory, raw, name, compress):
    _never_anything_but_a_data_error(tmp_path_factory.getbasetemp(), raw, name, compress)


def test_without_a_home_the_cache_is_in_a_temporary_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("DROPOUT_LAB_DATA")
    monkeypatch.delenv("KERAS_HOME", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    temporary = tmp_path / ".keras" / "datasets" / "fashion-mnist"
    monkeypatch.setenv("HOME", str(tmp_path / "missing"))
    assert idx_files.keras_cache() == temporary
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("os.path.expanduser", lambda name: name)  # as for a user id without an entry
    assert idx_files.expand_user("~/x") is None
    assert idx_files.keras_cache() == temporary
    monkeypatch.setenv("KERAS_HOME", "~/x")
    assert idx_files.keras_cache().is_relative_to("~/x")
    assert idx_files.locate() is None or idx_files.locate() == idx_files.DEBIAN_FOLDER
