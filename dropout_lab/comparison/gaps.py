"""What lies between training and test metrics: dropout noise and overfitting."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from dropout_lab.comparison.selection import Selection, metric_values

_METRICS: Mapping[str, tuple[str, str, str]] = {
    "accuracy": ("accuracy", "train_accuracy", "test_accuracy"),
    "loss": ("loss", "train_loss", "test_loss"),
}


@dataclass(frozen=True, kw_only=True)
class GapDecomposition:
    """Train (dropout on), train (dropout off) and test metric of a condition, averaged over the same seeds.

    Attributes:
        metric: ``accuracy`` or ``loss``.
        n: Number of seeds that have all three values.
        train_noisy: Training set, dropout on: the last epoch, averaged while the weights still changed.
        train: Training set, dropout off, after training.
        test: Test set, dropout off.
    """

    condition: str
    metric: str
    n: int
    train_noisy: float
    train: float
    test: float

    @property
    def dropout_noise(self) -> float:
        """`train` - `train_noisy`: dropout noise and the progress within the epoch, not overfitting."""
        return self.train - self.train_noisy

    @property
    def gap(self) -> float:
        """Overfitting: train - test for accuracy, test - train for loss, both with dropout off."""
        return self.train - self.test if self.metric == "accuracy" else self.test - self.train


def decompose_gaps(selection: Selection) -> tuple[GapDecomposition, ...]:
    """Return the gaps of each condition, in accuracy and loss, if a seed has all three values."""
    gaps = []
    for metric, names in _METRICS.items():
        for condition in selection.conditions:
            values = [metric_values(selection.runs[condition], name)[0] for name in names]
            seeds = sorted(set.intersection(*map(set, values)))
            if seeds:
                train_noisy, train, test = (
                    float(np.mean([by_seed[seed] for seed in seeds])) for by_seed in values
                )
                gaps.append(
                    GapDecomposition(
                        condition=condition,
                        metric=metric,
                        n=len(seeds),
                        train_noisy=train_noisy,
                        train=train,
                        test=test,
                    )
                )
    return tuple(gaps)
