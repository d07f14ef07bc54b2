"""The form of a model's inputs, kept with the model so that new inputs are prepared as in training."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

import numpy as np

from dropout_lab.data.dataset import Dataset
from dropout_lab.data.scaling import UNIT_PIXELS, Scaling
from dropout_lab.records import DataFingerprint, FloatArray

ScaleChoice = Literal["auto", "unit", "none"]


@dataclass(frozen=True, kw_only=True)
class InputForm:
    """What the inputs of a trained model are.

    Attributes:
        shape: Shape of one example.
        dtype: NumPy dtype of stored values, such as ``uint8``.
        scaling: From stored values to those that the network sees.
        class_names: Name of each class, by class number.
    """

    shape: tuple[int, ...]
    dtype: str
    scaling: Scaling
    class_names: tuple[str, ...]

    @classmethod
    def of(cls, data: Dataset) -> Self:
        """Return the form of the examples of `data`."""
        return cls(
            shape=data.input_shape,
            dtype=data.train_inputs.dtype.name,
            scaling=data.scaling,
            class_names=data.class_names,
        )

    @property
    def holds_images(self) -> bool:
        """Whether image files can be read into this form."""
        return self.dtype == "uint8" and len(self.shape) == 3 and self.shape[-1] in (1, 3, 4)

    def scaled(self, choice: ScaleChoice) -> Self:
        """Return the form with another scaling.

        Args:
            choice: ``unit``: pixels of 0 to 255 are divided by 255. ``none``: values are those that the
                network sees. ``auto``: as in training.
        """
        if choice == "auto":
            return self
        is_unit = choice == "unit"
        return replace(
            self, dtype="uint8" if is_unit else "float32", scaling=UNIT_PIXELS if is_unit else Scaling()
        )

    def without_examples(self) -> Dataset:
        """Return a dataset of this form that has no examples, for what only asks for the form."""
        inputs, labels = np.empty((0, *self.shape), self.dtype), np.empty(0, np.int64)
        return Dataset(
            train_inputs=inputs,
            train_labels=labels,
            validation_inputs=inputs,
            validation_labels=labels,
            test_inputs=inputs,
            test_labels=labels,
            class_names=self.class_names,
            scaling=self.scaling,
            fingerprint=DataFingerprint(
                folder="", checksums={}, num_train=0, num_validation=0, num_test=0, digest=""
            ),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the form as JSON values."""
        return {
            "shape": list(self.shape),
            "dtype": self.dtype,
            "factor": np.asarray(self.scaling.factor).tolist(),
            "shift": np.asarray(self.scaling.shift).tolist(),
            "to_float": self.scaling.to_float,
            "class_names": list(self.class_names),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return the form that `to_json` wrote. Raises KeyError, TypeError or ValueError if it is damaged."""
        scaling = Scaling(
            factor=_number(content["factor"]),
            shift=_number(content["shift"]),
            to_float=bool(content["to_float"]),
        )
        return cls(
            shape=tuple(map(int, content["shape"])),
            dtype=np.dtype(content["dtype"]).name,
            scaling=scaling,
            class_names=tuple(map(str, content["class_names"])),
        )


def _number(value: Any) -> float | FloatArray:
    return np.array(value, np.float32) if isinstance(value, list) else float(value)
