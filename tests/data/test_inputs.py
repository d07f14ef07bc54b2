"""Inputs: numbers of one shape, stored in few bytes; all else is refused with its place."""

import numpy as np
import pytest

from dropout_lab.data.inputs import check_lengths, check_parts, prepare_inputs, to_images
from dropout_lab.errors import DataError


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        (np.uint8, np.uint8),
        (np.int64, np.int32),
        (np.uint16, np.int32),
        (np.float64, np.float32),
        (np.float16, np.float32),
        (">f8", np.float32),
        (">i4", np.int32),
        (bool, np.float32),
    ],
)
def test_values_are_kept_in_a_small_dtype(given, stored):
    values = np.array([[0, 1], [1, 0]], given)
    found = prepare_inputs(values, "x", "d")
    assert found.dtype == stored
    assert found.dtype.isnative
    assert np.array_equal(found, values)


def test_large_integers_stay_exact_and_views_become_contiguous():
    assert prepare_inputs([[2**40, 1]], "x", "d").tolist() == [[2**40, 1]]
    assert prepare_inputs(np.arange(12).reshape(3, 4).T, "x", "d").flags.c_contiguous


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ([[0.0, np.nan], [0, 1]], r"x has nan at \[0, 1\] .allowed: finite numbers"),
        ([[0.0, 1], [np.inf, -np.inf]], r"x has inf at \[1, 0\] and 1 more"),
        ([[0.0, 1e300]], r"x has inf at \[0, 1\]"),
        ([1.0, 2.0], r"x has the shape \(2,\)"),
        (3, r"x has the shape \(\)"),
        (np.zeros((0, 3)), r"x has the shape \(0, 3\)"),
        (np.zeros((3, 0)), r"x has the shape \(3, 0\)"),
        ([[1, 2], [3]], "x has Python objects or rows of different lengths"),
        (np.array([[1, None]], object), "x has Python objects"),
        ([["a", "b"]], "x has <U1"),
        (np.zeros((2, 2), complex), "x has complex128"),
        (np.ma.masked_array([[1, 2]], [[0, 1]]), "x has masked values"),
        (None, r"x has "),
        ({"a": 1}, r"x has Python objects"),
    ],
)
def test_what_is_no_table_of_finite_numbers_is_refused(values, problem):
    with pytest.raises(DataError, match=f"^d: {problem}"):
        prepare_inputs(values, "x", "d")


def test_images_get_a_channel_and_one_byte_per_value():
    grey = np.full((2, 4, 4), 200)
    for train, test in ((grey.astype(np.uint8), grey.astype(np.uint8)), (grey, grey)):
        for part in to_images([train, test]):
            assert part.dtype == np.uint8
            assert part.shape == (2, 4, 4, 1)
    assert to_images([np.zeros((2, 4, 4, 3), np.uint8)])[0].shape == (2, 4, 4, 3)


@pytest.mark.parametrize(
    "part",
    [
        np.full((2, 9), 200),
        np.full((2, 9), 200, np.uint8),
        np.full((2, 4, 4), 0.5, np.float32),
        np.full((2, 4, 4), 256),
        np.full((2, 4, 4), -1),
        np.eye(4, dtype=int)[np.newaxis],
    ],
    ids=["sequences", "flat", "floats", "large", "negative", "one-hot sequences"],
)
def test_other_inputs_stay_as_they_are(part):
    (found,) = to_images([part])
    assert found.dtype == part.dtype
    assert found.shape == part.shape


def test_parts_must_go_together():
    x = np.array([[0.0, 1.0]], np.float32)
    check_parts(x, x, "d")
    for test, problem in (
        (np.zeros((1, 3), np.float32), r"\(2,\) in x_train and \(3,\) in x_test"),
        (np.zeros((1, 2), np.uint8), "x_train has floats and x_test integers"),
    ):
        with pytest.raises(DataError, match=problem):
            check_parts(x, test, "d")
    with pytest.raises(DataError, match="all values of x_train are 7"):
        check_parts(np.full((3, 2), 7), None, "d")
    with pytest.raises(DataError, match="1 examples in x_train, but 2 labels in y_train"):
        check_lengths(x, np.zeros(2), "train", "d")
