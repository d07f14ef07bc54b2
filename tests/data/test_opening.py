"""Every kind of dataset becomes the same kind of source."""

import random
import sys

import numpy as np
import pytest

from dropout_lab.data.opening import check_source, open_source
from dropout_lab.data.selection import load_all, load_data
from dropout_lab.data.source import Source
from dropout_lab.errors import DataError, FunctionError
from dropout_lab.spec import DataSpec

LOAD = """
import numpy as np
def load(num=40, classes=4, seed=0):
    y = np.arange(num) % classes
    x = np.random.default_rng(seed).normal(size=(num, 3))
    return (x[:30], y[:30]), (x[30:], y[30:])
def whole(num=40):
    (x, y), (x_test, y_test) = load(num)
    return np.concatenate([x, x_test]), np.concatenate([y, y_test])
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    """The file data.py in the current folder, with two functions that return data."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    (tmp_path / "data.py").write_text(LOAD)
    return tmp_path / "data.py"


def opened(function="load", **fields):
    return open_source(DataSpec(dataset=f"data.py:{function}", **fields))


def test_a_function_is_called_with_its_arguments(own):
    source = opened(arguments={"num": 44})
    assert source.train_inputs.shape == (30, 3)
    assert source.test_inputs.shape == (14, 3)
    assert source.train_inputs.dtype == np.float32
    assert (source.name, source.location) == ("data.py:load", "data.py:load")
    assert len(source.code) == 16
    assert source.checksums != opened().checksums
    with pytest.raises(FunctionError, match=r"data.arguments: unknown argument of data.py:load: 'nmu'"):
        opened(arguments={"nmu": 1})


def test_equal_arrays_have_equal_checksums_whatever_they_came_from(own):
    source = opened()
    np.savez(
        "data.npz",
        **{
            f"{axis}_{part}": getattr(source, f"{part}_{name}")
            for axis, name in (("x", "inputs"), ("y", "labels"))
            for part in ("train", "test")
        },
    )
    assert open_source(DataSpec(dataset="data.npz")).checksums == source.checksums
    assert load_data(DataSpec(dataset="./data.npz")).fingerprint.digest == (
        load_data(DataSpec(dataset="data.py:load")).fingerprint.digest
    )
    own.write_text(LOAD.replace("normal(size", "normal(scale=2, size"))
    assert opened().checksums != source.checksums


def test_an_edit_changes_the_code_even_if_the_arrays_stay(own):
    before = opened()
    own.write_text(LOAD.replace("% classes", "% (classes + 0)"))
    after = opened()
    assert after.checksums == before.checksums
    assert after.code != before.code


def test_data_without_a_test_part_are_divided_by_class(own):
    source = opened("whole", test_split=0.25)
    assert np.bincount(source.train_labels).tolist() == [8] * 4
    assert np.bincount(source.test_labels).tolist() == [2] * 4
    rows = np.concatenate([source.train_inputs, source.test_inputs])
    assert np.unique(rows, axis=0).shape == (40, 3)
    again, other = opened("whole", test_split=0.25), opened("whole", test_split=0.25, test_seed=1)
    assert again.checksums == source.checksums != other.checksums
    with pytest.raises(DataError, match=r"data.test_seed: no effect, since data.py:load has a test part"):
        opened(test_seed=1)


def test_a_function_that_shuffles_without_a_seed_returns_the_same_each_time(own):
    own.write_text(
        LOAD + "def mixed():\n    (x, y), test = load()\n    np.random.shuffle(x)\n    return (x, y), test\n"
    )
    state, numpy_state = random.getstate(), np.random.get_state()[1].copy()  # noqa: NPY002
    assert opened("mixed").checksums == opened("mixed").checksums
    assert random.getstate() == state
    assert np.array_equal(np.random.get_state()[1], numpy_state)  # noqa: NPY002


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("return None", "returned nothing .allowed: .x_train, y_train., .x_test, y_test., or .x, y"),
        ("return 1, 2, 3", r"returned a tuple of 3 \(int, int, int\)"),
        ("return (1, 2), (3, 4, 5)", r"returned a tuple of 2 \(a tuple of 2, a tuple of 3\)"),
        ("return {'x': 1}", "returned an object of type dict"),
        ("return load", "returned an object of type function"),
        (
            "(x, y), test = load(); return (x, y[:-1]), test",
            "30 examples in x_train, but 29 labels in y_train",
        ),
        (
            "(x, y), (a, b) = load(); return (x, y), (a[:-1], b)",
            "9 examples in x_test, but 10 labels in y_test",
        ),
        ("(x, y), (a, b) = load(); return (x, y), (a[:, :2], b)", r"\(3,\) in x_train and \(2,\) in x_test"),
        ("(x, y), test = load(); return (x, y + 1), test", "y_train has labels from 1 to 4"),
        ("(x, y), test = load(); return (x, y / 2), test", "y_train has float labels"),
        ("(x, y), (a, b) = load(); return (x, y), (a, b % 3)", "the test part has no example of '3'"),
        ("(x, y), test = load(); x[3, 1] = np.nan; return (x, y), test", r"x_train has nan at \[3, 1\]"),
        ("(x, y), test = load(); return (x * 0, y), test", "all values of x_train are 0"),
    ],
)
def test_what_is_no_data_for_a_classifier_is_named(own, source, problem):
    own.write_text(f"{LOAD}def wrong():\n    {source}\n")
    with pytest.raises(DataError, match=problem) as caught:
        opened("wrong")
    assert caught.value.message.startswith("data.dataset: data.py:wrong")
    assert caught.value.exit_code == 2


def test_examples_of_both_parts_are_noted(own):
    own.write_text(LOAD + "def same():\n    (x, y), (a, b) = load()\n    return (x, y), (x[:8], y[:8])\n")
    assert opened().notes == ()
    assert opened("same").notes == (
        "data.py:same: 8 of 8 test examples are in the training part too, which makes test metrics better "
        "than they are.",
    )


def test_digits_come_with_scikit_learn():
    data = load_data(DataSpec(dataset="digits"))
    assert data.train_inputs.shape == (1438, 8, 8, 1)
    assert data.test_inputs.shape == (359, 8, 8, 1)
    assert (data.train_inputs.min(), data.train_inputs.max()) == (0, 1)
    assert data.scaling.factor == 1
    assert data.class_names == tuple("0123456789")
    assert data.fingerprint.name == "digits"
    assert (
        np.abs(
            np.bincount(data.test_labels) * 5 - np.bincount(data.train_labels) - np.bincount(data.test_labels)
        ).max()
        <= 2
    )


def test_each_dataset_is_read_once(own):
    own.write_text(
        f"{LOAD}calls = []\ndef counted():\n    calls.append(1)\n    assert calls == [1]\n    return load()\n"
    )
    specs = [DataSpec(dataset="data.py:counted", num_train=count) for count in (10, 20, 20)]
    loaded = load_all(specs)
    assert [loaded[spec].fingerprint.num_train for spec in specs] == [10, 20, 20]


def test_statistics_are_those_of_the_training_examples_alone(own):
    data = load_data(DataSpec(dataset="data.py:load", validation=0.3, scale="standardize"))
    assert data.scaling.shift == pytest.approx(data.train_inputs.mean(0), abs=1e-6)
    assert data.scaling.factor == pytest.approx(1 / data.train_inputs.std(0), rel=1e-5)


def test_the_kind_of_scaling_is_part_of_the_identity_unless_it_is_the_automatic_one(own):
    digests = {
        scale: load_data(DataSpec(dataset="data.py:load", scale=scale)).fingerprint.digest
        for scale in ("auto", "none", "unit", "standardize")
    }
    assert digests["auto"] == digests["standardize"]
    assert len(set(digests.values())) == 3


def test_resampled_data_differ_by_seed_without_reading_them_again(own):
    data = load_data(DataSpec(dataset="data.py:load", resample=True))
    own.unlink()
    one, two, again = data.for_seed(1), data.for_seed(2), data.for_seed(1)
    assert one.fingerprint == again.fingerprint != two.fingerprint
    plain = load_data(DataSpec())
    assert plain.for_seed(1) is plain


def test_arrays_given_in_python_are_checked_as_files_are():
    x, y = np.arange(20.0).reshape(10, 2), ["a", "b"] * 5
    source = check_source(
        Source(train_inputs=x, train_labels=y, name="arrays", location="arrays"), DataSpec()
    )
    assert source.class_names == ("a", "b")
    assert len(source.test_labels) == 2
