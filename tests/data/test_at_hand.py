from pathlib import Path

import pytest

from dropout_lab.data.at_hand import is_at_hand
from dropout_lab.spec import DataSpec

SUBSET = Path(__file__).parents[1] / "fixtures" / "fashion-mnist"


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.delenv("DROPOUT_LAB_DATA", raising=False)
    monkeypatch.setattr("dropout_lab.data.idx_files.DEBIAN_FOLDER", tmp_path / "none")
    return tmp_path / "datasets"


@pytest.mark.parametrize("name", ["fashion_mnist", "mnist", "cifar10", "cifar100"])
def test_what_would_be_downloaded_is_not_at_hand(name):
    assert not is_at_hand(DataSpec(dataset=name))


def test_files_that_keras_keeps_are_at_hand(empty_cache):
    for name in ("mnist.npz", "cifar-10-batches-py-target_archive", "cifar-100-python.tar.gz"):
        (empty_cache / name).mkdir(parents=True)
    assert all(is_at_hand(DataSpec(dataset=name)) for name in ("mnist", "cifar10", "cifar100"))


def test_fashion_mnist_is_at_hand_where_it_is():
    assert is_at_hand(DataSpec(folder=str(SUBSET)))
    assert not is_at_hand(DataSpec(folder="/nowhere"))


def test_files_and_folders_are_but_functions_are_not():
    assert is_at_hand(DataSpec(dataset="digits"))
    assert is_at_hand(DataSpec(dataset="./images"))
    assert is_at_hand(DataSpec(dataset="data.npz"))
    assert not is_at_hand(DataSpec(dataset="data.py:load"))
