"""What lies between training and test metrics: dropout noise and overfitting."""

from dataclasses import dataclass

import numpy as np

from dropout_lab.comparison.selection import Selection, metric_values
from dropout_lab.evaluation.metrics import metric_info
from dropout_lab.evaluation.registry import EPOCH_METRICS, MEASURES
from dropout_lab.records import RunRecord

_MEASURES = tuple(measure for measure in MEASURES if measure in EPOCH_METRICS)


@dataclass(frozen=True, kw_only=True)
class GapDecomposition:
    """Train (dropout on), train (dropout off) and test metric of a condition, averaged over the same seeds.

    Attributes:
        metric: ``accuracy`` or ``loss``.
        n: Number of seeds that have all three values.
        train_noisy: Training set, dropout on: the last epoch, averaged while the weights still changed. Runs
            whose weights are of an earlier epoch, by early stopping, have no such value.
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
        """Overfitting, with dropout off: train - test if higher is better, else test - train."""
        gap = self.train - self.test
        return gap if metric_info(self.metric).higher_is_better else -gap


def decompose_gaps(selection: Selection) -> tuple[GapDecomposition, ...]:
    """Return the gaps of each condition, in accuracy and loss, if a seed has all three values."""
    gaps = []
    for metric in _MEASURES:
        names = (metric, f"train_{metric}", f"test_{metric}")
        for condition in selection.conditions:
            runs = {
                seed: run for seed, run in selection.runs[condition].items() if not _has_earlier_weights(run)
            }
            values = [metric_values(runs, name)[0] for name in names]
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


def _has_earlier_weights(run: RunRecord) -> bool:
    """Return whether early stopping restored weights that the metrics of the last epoch do not describe."""
    return run.metrics.get("best_epoch") is not None
