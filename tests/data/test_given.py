"""Arrays from Python, in every form, become files named after their content."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from dropout_lab.data.given import name_arrays, path_for, save_arrays
from dropout_lab.errors import DataError

X, Y = np.arange(12.0).reshape(6, 2), np.array([0, 1, 0, 1, 0, 1])


@pytest.mark.parametrize(
    "data",
    [
        (X, Y, X[:2], Y[:2]),
        [X, Y, X[:2], Y[:2]],
        ((X, Y), (X[:2], Y[:2])),
        {"x_train": X, "y_train": Y, "x_test": X[:2], "y_test": Y[:2]},
        (pd.DataFrame(X), pd.Series(Y), X[:2].tolist(), Y[:2]),
    ],
)
def test_equal_arrays_in_every_form_have_one_path(data: Any, tmp_path: Path) -> None:
    arrays = name_arrays(data)
    path = path_for(arrays, tmp_path / "given")
    assert path == path_for(name_arrays((X, Y, X[:2], Y[:2])), tmp_path / "given")
    save_arrays(arrays, path)
    with np.load(path) as saved:
        assert {name: saved[name].tolist() for name in saved} == {
            "x_train": X.tolist(),
            "y_train": Y.tolist(),
            "x_test": X[:2].tolist(),
            "y_test": Y[:2].tolist(),
        }
    assert list(path.parent.iterdir()) == [path]


def test_other_arrays_have_another_path(tmp_path: Path) -> None:
    others = [(X, Y), (X + 1, Y), (X.astype("float32"), Y), (X.T, Y), (X, Y, X, Y)]
    assert len({path_for(name_arrays(data), tmp_path) for data in others}) == len(others)


def test_names_of_classes_in_a_frame_are_text(tmp_path: Path) -> None:
    arrays = name_arrays((X, pd.Series(["cat", "dog"] * 3, dtype=object)))
    assert arrays["y_train"].dtype.kind == "U"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ((X, Y, X), "data: not understood: tuple"),
        ({"x": X, "y": Y}, "data: not understood: a mapping of x, y"),
        (5, "data: not understood: int"),
        (([[1], [1, 2]], [0, 1]), "x_train has Python objects or rows of different lengths"),
        ((np.ma.masked_equal(X, 3.0), Y), "x_train has masked values"),
    ],
)
def test_what_is_no_data_is_named(data: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        name_arrays(data)
