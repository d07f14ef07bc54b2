"""Early stopping: the epoch with the best weights by a validation metric, and when training ends."""

from collections.abc import Sequence

import keras

from dropout_lab.records import EpochMetrics
from dropout_lab.spec.training import EarlyStopping


def best_epoch(spec: EarlyStopping, epochs: Sequence[EpochMetrics]) -> int:
    """Return the number, from 1, of the first epoch with the best value of the metric.

    Args:
        spec: Which metric decides.
        epochs: Finished epochs, at least one.
    """
    sign = -1 if spec.metric == "val_accuracy" else 1
    values = [sign * float(getattr(epoch, spec.metric)) for epoch in epochs]
    return 1 + values.index(min(values))


def is_over(spec: EarlyStopping, epochs: Sequence[EpochMetrics]) -> bool:
    """Return whether training ends after `epochs`: the last `patience` of them brought no improvement."""
    return bool(epochs) and len(epochs) - best_epoch(spec, epochs) >= spec.patience


class BestWeights:
    """A copy of the weights of a model, with the moving statistics of its normalization.

    Args:
        model: A built model.

    Attributes:
        variables: The copy, which belongs to the state of a training.
    """

    def __init__(self, model: keras.Model) -> None:
        self._weights = model.weights
        self.variables = [
            # A variable made of another's value would be that variable (Keras 3.15).
            keras.Variable(weight.numpy(), dtype=weight.dtype, trainable=False, name=f"best_{weight.name}")
            for weight in self._weights
        ]

    def keep(self) -> None:
        """Copy the weights of the model."""
        for copy, weight in zip(self.variables, self._weights, strict=True):
            copy.assign(weight.value)

    def restore(self) -> None:
        """Give the model the weights of the copy."""
        for copy, weight in zip(self.variables, self._weights, strict=True):
            weight.assign(copy.value)
