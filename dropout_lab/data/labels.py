"""Labels: class numbers from 0 without gaps, or what is turned into them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from dropout_lab.data.source import Array
from dropout_lab.errors import DataError

ALLOWED = "integers from 0, names, or one-hot rows"
MAX_NAMED = 5
"""Classes that a message names before it counts the others."""


def encode_labels(
    train: Any, test: Any, class_names: Sequence[str] | None, where: str
) -> tuple[Array, Array | None, tuple[str, ...]]:
    """Return class numbers for training and test labels, and the names of the classes.

    Args:
        train, test: Labels: (n,) or (n, 1) of integers from 0 or of names, or (n, num_classes) one-hot rows.
            None for a test part that is still to be split off.
        class_names: Name of each class, by number; None if unknown.
        where: Begins messages.

    Returns:
        Labels of the smallest unsigned dtype that holds them, and one name per class: those given, the labels
        themselves in sorted order if they are names, else the numbers.

    Raises:
        DataError: If labels are neither, leave out a number, or a class has no example in one of the parts.
    """
    train = _to_vector(train, "y_train", where)
    test = None if test is None else _to_vector(test, "y_test", where)
    if test is not None and (train.dtype.kind == "U") != (test.dtype.kind == "U"):
        raise DataError(f"{where}: y_train has {_kind(train)} and y_test {_kind(test)}")
    if train.dtype.kind == "U":
        names, train = np.unique(train, return_inverse=True)
        if test is not None:
            _check_known(test, names, where)
            test = np.searchsorted(names, test)
        class_names = tuple(map(str, names))
    num_classes = _count_classes(train, where)
    class_names = tuple(class_names or map(str, range(num_classes)))
    if len(class_names) != num_classes:
        raise DataError(f"{where}: {len(class_names)} class names for {num_classes} classes")
    dtype = np.min_scalar_type(num_classes - 1)
    if test is not None:
        _check_known(test, np.arange(num_classes), where)
        if missing := sorted(set(range(num_classes)) - set(np.unique(test).tolist())):
            raise DataError(
                f"{where}: the test part has no example of {_listed([class_names[one] for one in missing])}",
                hint="Accuracy in a class cannot be measured without examples. Shuffle the data before they "
                "are divided, or give no test part: then data.test_split divides every class.",
            )
        test = test.astype(dtype)
    return train.astype(dtype), test, class_names


def _to_vector(labels: Any, name: str, where: str) -> Array:
    """Return labels as (n,) integers or names."""
    try:
        values = np.asarray(labels)
    except ValueError:  # rows of different lengths
        values = np.empty(0, dtype=object)
    if values.dtype == object and values.size and all(isinstance(one, str) for one in values.ravel()):
        values = values.astype(str)
    if values.dtype.kind == "S":
        values = np.char.decode(values, "utf-8", "replace")
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim == 2 and values.shape[1] > 1 and values.dtype.kind in "biuf":
        return _from_one_hot(values, name, where)
    if values.ndim != 1:
        shape = " x ".join(map(str, values.shape)) or "a single value"
        raise DataError(f"{where}: {name} is {shape} (allowed: one label per example: {ALLOWED})")
    if values.dtype.kind == "f":
        example = f", such as {values[0]}" if values.size else ""
        raise DataError(
            f"{where}: {name} has float labels{example} (allowed: {ALLOWED})",
            hint="If they are class numbers, convert them with y.astype(int). Regression is not supported.",
        )
    if values.dtype.kind not in "biuU":
        raise DataError(f"{where}: {name} has labels of type {values.dtype} (allowed: {ALLOWED})")
    return values.astype(np.int64) if values.dtype.kind == "b" else values


def _from_one_hot(values: Array, name: str, where: str) -> Array:
    is_one = values == 1
    wrong = (is_one.sum(axis=1) != 1) | ((values != 0) & ~is_one).any(axis=1)
    if wrong.any():
        raise DataError(
            f"{where}: {name} is {values.shape[0]} x {values.shape[1]}, but row {int(wrong.argmax())} is not"
            f" one-hot (allowed: {ALLOWED})",
            hint="Several labels per example and soft labels are not supported.",
        )
    numbers: Array = is_one.argmax(axis=1)
    return numbers


def _count_classes(labels: Array, where: str) -> int:
    """Return the number of classes, after checking that `labels` are 0, 1, ... without gaps."""
    found = np.unique(labels)
    if not found.size:
        raise DataError(f"{where}: the training part has no examples")
    first, last = int(found[0]), int(found[-1])
    if first != 0:
        raise DataError(
            f"{where}: y_train has labels from {first} to {last} (allowed: from 0 to the number of classes"
            " minus 1)",
            hint=f"Subtract {first} from all labels." if first > 0 else None,
        )
    if len(found) <= last:
        missing = np.setdiff1d(np.arange(min(last, len(found) + MAX_NAMED)), found)[:MAX_NAMED].tolist()
        raise DataError(
            f"{where}: y_train has labels from 0 to {last}, but not {_listed(missing)}"
            " (allowed: integers from 0 without gaps)",
            hint="Number the classes without gaps, or use their names as labels.",
        )
    if last == 0:
        raise DataError(f"{where}: all training examples have one class (allowed: at least 2 classes)")
    return last + 1


def _check_known(test: Array, known: Array, where: str) -> None:
    unknown = np.setdiff1d(test, known)
    if unknown.size:
        raise DataError(
            f"{where}: y_test has {_listed(unknown.tolist())}, which no training example has as its label"
        )


def _listed(values: Sequence[Any]) -> str:
    more = f" and {len(values) - MAX_NAMED} more" if len(values) > MAX_NAMED else ""
    return ", ".join(repr(value) for value in values[:MAX_NAMED]) + more


def _kind(labels: Array) -> str:
    return "names" if labels.dtype.kind == "U" else "numbers"
