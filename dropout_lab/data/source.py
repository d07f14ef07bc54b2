"""What every kind of dataset is read into, before examples are chosen from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt

from dropout_lab.errors import DataError

Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Source:
    """The whole arrays of a dataset.

    Attributes:
        train_inputs, test_inputs: (n, ...) of any dtype; no test part if `test_inputs` is None.
        train_labels, test_labels: (n,), (n, 1), or one-hot (n, num_classes): class numbers or names.
        class_names: Name of each class, by class number; None if they are called by number, or by the labels.
        name: Name of the dataset, for people.
        location: Where it comes from: a folder, a file or a function.
        checksums: SHA-256 of what the arrays were read from, by name, if that is checked already.
        code: Fingerprint of the user's code that returned the arrays.
        notes: What the user should know of how they were read.
    """

    train_inputs: Array
    train_labels: Array
    test_inputs: Array | None = None
    test_labels: Array | None = None
    class_names: tuple[str, ...] | None = None
    name: str
    location: str
    checksums: Mapping[str, str] = field(default_factory=dict)
    code: str = ""
    notes: tuple[str, ...] = ()


def as_source(
    result: Any, reference: str, *, class_names: tuple[str, ...] | None = None, code: str = ""
) -> Source:
    """Return what a function returned as a source.

    Args:
        result: ``(x_train, y_train), (x_test, y_test)``, or ``(x, y)`` without a test part.
        reference: Name of the function or of the dataset in a spec.
        class_names, code: As in `Source`.

    Raises:
        DataError: If it is something else.
    """
    if _is_pair(result) and all(map(_is_pair, result)):
        (x_train, y_train), (x_test, y_test) = result
    elif _is_pair(result) and not any(isinstance(part, tuple) for part in result):
        (x_train, y_train), (x_test, y_test) = result, (None, None)
    else:
        allowed = "(x_train, y_train), (x_test, y_test), or (x, y)"
        raise DataError(f"data.dataset: {reference} returned {_described(result)} (allowed: {allowed})")
    return Source(
        train_inputs=x_train,
        train_labels=y_train,
        test_inputs=x_test,
        test_labels=y_test,
        class_names=class_names,
        name=reference,
        location=reference,
        code=code,
    )


def _is_pair(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) == 2


def _described(value: Any) -> str:
    if not isinstance(value, tuple):
        return "nothing" if value is None else f"an object of type {type(value).__name__}"
    parts = (f"a tuple of {len(part)}" if isinstance(part, tuple) else type(part).__name__ for part in value)
    return f"a tuple of {len(value)} ({', '.join(parts)})"[:300]
