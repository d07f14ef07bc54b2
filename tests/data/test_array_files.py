"""An .npz file is read without running code, and what is wrong with one is named."""

import numpy as np
import pytest

from dropout_lab.data import memory
from dropout_lab.data.array_files import read_npz
from dropout_lab.errors import DataError

X, Y = np.arange(12.0).reshape(6, 2), np.array([0, 1] * 3)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_arrays_and_names_are_read():
    np.savez_compressed("a.npz", x_train=X, y_train=Y, x_test=X[:2], y_test=Y[:2], class_names=["no", "yes"])
    source = read_npz("a.npz", "d")
    assert np.array_equal(source.train_inputs, X)
    assert np.array_equal(source.test_labels, Y[:2])
    assert source.class_names == ("no", "yes")
    assert (source.name, source.location) == ("a", "a.npz")


def test_the_test_part_may_be_absent():
    np.savez("a.npz", x_train=X, y_train=Y)
    source = read_npz("a.npz", "d")
    assert source.test_inputs is source.test_labels is source.class_names is None


@pytest.mark.parametrize(
    ("arrays", "problem"),
    [
        (
            {"X_train": X, "y_train": Y},
            r"no array 'x_train' \(did you mean 'X_train'\?\) \(available: X_train, y_train",
        ),
        ({"x_train": X}, "no array 'y_train'"),
        ({"x_train": X, "y_train": Y, "x_test": X}, "no array 'y_test'"),
        ({}, "no array 'x_train' .available: none"),
        ({"x_train": np.array([X, None], object), "y_train": Y}, "x_train holds Python objects"),
    ],
)
def test_an_array_that_is_missing_or_no_data_is_named(arrays, problem):
    np.savez("a.npz", **arrays)
    with pytest.raises(DataError, match=f"^d: {problem}"):
        read_npz("a.npz", "d")


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 cut off", b"\x93NUMPY\x01\x00"])
def test_another_file_is_refused(folder, content):
    (folder / "a.npz").write_bytes(content)
    with pytest.raises(DataError, match=r"^d: not a \.npz file"):
        read_npz("a.npz", "d")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_file_that_was_cut_off_or_changed_is_refused(folder, save):
    save("a.npz", x_train=X, y_train=Y)
    whole = (folder / "a.npz").read_bytes()
    place = whole.index(b"y_train.npy") - 60  # in the values of x_train
    for content in (whole[:-30], whole[: place - 60], whole[:place] + b"\xff" * 8 + whole[place + 8 :]):
        (folder / "a.npz").write_bytes(content)
        with pytest.raises(DataError, match=r"^d: not a \.npz file, or (a damaged one|one that is cut off)"):
            read_npz("a.npz", "d")


def test_a_single_array_and_a_missing_file_are_told_apart(folder):
    with (folder / "b.npz").open("wb") as file:
        np.save(file, X)
    with pytest.raises(DataError, match=r"not a \.npz file"):
        read_npz("b.npz", "d")
    with pytest.raises(DataError, match=r"file not found in .* \(did you mean 'b.npz'\?\)"):
        read_npz("bb.npz", "d")
    (folder / "c.npz").mkdir()
    with pytest.raises(DataError, match="cannot be read: Is a directory"):
        read_npz("c.npz", "d")


def test_data_that_do_not_fit_into_memory_are_refused_before_they_are_read(monkeypatch):
    np.savez("a.npz", x_train=np.zeros((1000, 1000)), y_train=np.zeros(1000, np.int8))
    monkeypatch.setattr(memory, "available_bytes", lambda: 8_000_999)
    with pytest.raises(DataError, match=r"^d: 0.0 GiB of data do not fit into memory \(0.0 GiB available\)"):
        read_npz("a.npz", "d")
    monkeypatch.setattr(memory, "available_bytes", lambda: 8_001_000)
    assert read_npz("a.npz", "d").train_inputs.shape == (1000, 1000)
