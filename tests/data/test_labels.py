"""Labels: what is accepted becomes class numbers from 0; all else is refused with what is wrong."""

import numpy as np
import pytest

from dropout_lab.data.labels import encode_labels
from dropout_lab.errors import DataError


def encode(train: object, test: object = None, names: tuple[str, ...] | None = None) -> tuple:
    train_labels, test_labels, class_names = encode_labels(train, test, names, "d")
    return train_labels.tolist(), None if test_labels is None else test_labels.tolist(), class_names


@pytest.mark.parametrize(
    "labels",
    [
        [0, 2, 1],
        np.array([0, 2, 1], np.int64),
        np.array([[0], [2], [1]], np.uint8),
        np.eye(3)[[0, 2, 1]],
        np.eye(3, dtype=int)[[0, 2, 1]],
    ],
    ids=["list", "int64", "column", "one-hot floats", "one-hot integers"],
)
def test_numbers_in_every_usual_form_are_the_same(labels):
    assert encode(labels, labels) == ([0, 2, 1], [0, 2, 1], ("0", "1", "2"))
    assert encode_labels(labels, None, None, "d")[0].dtype == np.uint8


@pytest.mark.parametrize("kind", [list, np.array, lambda x: np.array(x, object), lambda x: np.array(x, "S5")])
def test_names_are_numbered_in_sorted_order(kind):
    assert encode(kind(["owl", "cat", "owl"]), kind(["cat", "owl"])) == ([1, 0, 1], [0, 1], ("cat", "owl"))


def test_truth_values_are_two_classes_and_given_names_are_kept():
    assert encode([True, False], [False, True]) == ([1, 0], [0, 1], ("0", "1"))
    assert encode([1, 0], None, ("no", "yes")) == ([1, 0], None, ("no", "yes"))


def test_the_dtype_is_the_smallest_that_holds_all_classes():
    labels = np.arange(300)
    assert encode_labels(labels, labels, None, "d")[0].dtype == np.uint16


@pytest.mark.parametrize(
    ("train", "test", "problem"),
    [
        (range(1, 11), None, "y_train has labels from 1 to 10 .allowed: from 0"),
        ([-1, 0, 1], None, "labels from -1 to 1"),
        ([0, 1, 3], None, "y_train has labels from 0 to 3, but not 2 "),
        ([0, 10**9], None, "labels from 0 to 1000000000, but not 1, 2, 3, 4, 5 "),
        ([0, 0, 0], None, "all training examples have one class"),
        (["a", "a"], None, "all training examples have one class"),
        (np.array([], int), None, "no examples"),
        ([0.0, 1.5], None, "y_train has float labels, such as 0.0"),
        ([0, 1], [0.5, 1.0], "y_test has float labels, such as 0.5"),
        ([[0, 1], [1, 1]], None, r"y_train is 2 x 2, but row 1 is not one-hot"),
        ([[0.2, 0.8], [0, 1]], None, "row 0 is not one-hot"),
        ([[[0], [1]]], None, "y_train is 1 x 2 x 1 .allowed: one label per example"),
        (3, None, "y_train is a single value"),
        ([[0, 1], [0]], None, "y_train has labels of type object"),
        ([None, "a"], None, "labels of type object"),
        (np.array(["2026-01-01"], "M8[D]"), None, r"labels of type datetime64\[D\]"),
        ([0, 1], [0, 0], "the test part has no example of '1'"),
        (["cat", "owl"], ["owl"], "the test part has no example of 'cat'"),
        ([0, 1], [0, 1, 2], "y_test has 2, which no training example has"),
        (["cat", "owl"], ["cat", "emu"], "y_test has 'emu', which no training example has"),
        (["cat", "owl"], [0, 1], "y_train has names and y_test numbers"),
    ],
)
def test_other_labels_are_refused_with_what_is_wrong(train, test, problem):
    with pytest.raises(DataError, match=f"^d: .*{problem}"):
        encode_labels(list(train) if isinstance(train, range) else train, test, None, "d")


def test_labels_from_1_get_the_way_out():
    with pytest.raises(DataError) as caught:
        encode_labels([1, 2], None, None, "d")
    assert caught.value.hint == "Subtract 1 from all labels."


def test_names_that_do_not_match_the_classes_are_refused():
    with pytest.raises(DataError, match="3 class names for 2 classes"):
        encode_labels([0, 1], None, ("a", "b", "c"), "d")
