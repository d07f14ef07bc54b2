"""A dataset as every other room sees it: inputs, labels, classes and a fingerprint."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from dropout_lab.data.scaling import Scaling
from dropout_lab.records import DataFingerprint

Inputs = npt.NDArray[Any]
Labels = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """The examples of one run.

    Attributes:
        train_inputs, validation_inputs, test_inputs: Stored values, (n, *input_shape), such as uint8 pixels
            from 0 to 255 in (n, 28, 28, 1).
        train_labels, validation_labels, test_labels: Class numbers from 0, (n,).
        class_names: Name of each class, by class number.
        scaling: From stored values to those that a network sees.
        fingerprint: Identity of these examples.
        notes: What the user should know of them.
        resampled: From the seed of a run to the examples that it draws; None if all runs have these.

    With ``validation: test`` in the spec, the validation examples are the test examples.
    """

    train_inputs: Inputs
    train_labels: Labels
    validation_inputs: Inputs
    validation_labels: Labels
    test_inputs: Inputs
    test_labels: Labels
    class_names: tuple[str, ...]
    scaling: Scaling
    fingerprint: DataFingerprint
    notes: tuple[str, ...] = ()
    resampled: "Callable[[int], Dataset] | None" = field(default=None, repr=False, compare=False)

    def for_seed(self, run_seed: int) -> "Dataset":
        """Return the examples of the run with `run_seed`."""
        return self if self.resampled is None else self.resampled(run_seed)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one example."""
        return tuple(self.train_inputs.shape[1:])

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)
