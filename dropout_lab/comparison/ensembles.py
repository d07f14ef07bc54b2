"""Deep ensembles of the seeds that were trained: the mean of their test probabilities.

Source: Lakshminarayanan et al. 2017, "Simple and Scalable Predictive Uncertainty Estimation using Deep
Ensembles", arXiv 1612.01474.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dropout_lab.comparison.single_runs import example_losses
from dropout_lab.evaluation.calibration import expected_calibration_error
from dropout_lab.evaluation.metrics import format_value
from dropout_lab.records import RunRecord

Probs = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Ensemble:
    """One ensemble of all seeds of a condition, evaluated once on the test set.

    Attributes:
        num_seeds: Members.
        accuracy, loss, ece: Metrics of the averaged probabilities.
        mean_accuracy, mean_loss, mean_ece: Means over the members, from the same logged probabilities.
    """

    condition: str
    num_seeds: int
    accuracy: float
    loss: float
    ece: float
    mean_accuracy: float
    mean_loss: float
    mean_ece: float

    @property
    def sentence(self) -> str:
        """The ensemble and the mean of its members, in one sentence."""
        parts = [
            f"{name} {format_value(metric, own)} (mean of single models: {format_value(metric, mean)})"
            for name, metric, own, mean in (
                ("test accuracy", "test_accuracy", self.accuracy, self.mean_accuracy),
                ("test loss", "test_loss", self.loss, self.mean_loss),
                ("calibration error", "test_ece", self.ece, self.mean_ece),
            )
        ]
        return f"{self.condition}, ensemble of {self.num_seeds} seeds: {', '.join(parts)}. Not tested."


def form_ensemble(condition: str, probs: Sequence[Probs], labels: npt.NDArray[Any]) -> Ensemble:
    """Average the test probabilities of a condition's seeds.

    Args:
        condition: Its name.
        probs: Class probabilities of each member, (num_examples, num_classes) each, for the same examples.
        labels: True classes, (num_examples,).
    """
    averaged = np.mean([one.astype(np.float64) for one in probs], axis=0)
    figures = [_evaluate(one, labels) for one in (averaged, *probs)]
    accuracy, loss, ece = figures[0]
    means = np.mean(figures[1:], axis=0)
    return Ensemble(
        condition=condition,
        num_seeds=len(probs),
        accuracy=accuracy,
        loss=loss,
        ece=ece,
        mean_accuracy=float(means[0]),
        mean_loss=float(means[1]),
        mean_ece=float(means[2]),
    )


def form_ensembles(
    runs: Sequence[RunRecord], predictions: Mapping[str, tuple[Probs, npt.NDArray[Any]]]
) -> tuple[Ensemble, ...]:
    """Return the ensemble of each condition with at least two runs that have predictions.

    Args:
        runs: Included runs, by condition.
        predictions: Class probabilities and labels of the test set, by run ID; runs of a condition whose
            labels differ (other test images) form no ensemble.
    """
    ensembles = []
    for condition in dict.fromkeys(run.condition for run in runs):
        own = [
            predictions[run.run_id]
            for run in runs
            if run.condition == condition and run.run_id in predictions
        ]
        if len(own) > 1 and all(np.array_equal(labels, own[0][1]) for _, labels in own):
            ensembles.append(form_ensemble(condition, [one[0] for one in own], own[0][1]))
    return tuple(ensembles)


def _evaluate(probs: Probs, labels: npt.NDArray[Any]) -> tuple[float, float, float]:
    right = np.argmax(probs, axis=1) == labels
    losses = example_losses(probs, labels)
    return float(np.mean(right)), float(np.mean(losses)), expected_calibration_error(probs, labels)
