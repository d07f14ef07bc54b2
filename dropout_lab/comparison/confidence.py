"""Confidence of the conditions of an experiment: plain predictions against what should improve on them.

Temperature scaling and the deep ensemble of a condition's seeds are the references that Monte Carlo dropout
must beat (Guo et al. 2017, arXiv 1706.04599; Lakshminarayanan et al. 2017, arXiv 1612.01474).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dropout_lab.comparison.ensembles import Ensemble
from dropout_lab.records import RunRecord

MEASURES = ("accuracy", "loss", "ece")
METHODS = {
    "plain": {measure: f"test_{measure}" for measure in MEASURES},
    "weighted pooling": {measure: f"pwp_{measure}" for measure in MEASURES},
    "MC dropout": {measure: f"mc_{measure}" for measure in MEASURES},
    # Temperature scaling keeps the order of the classes.
    "temperature": {"accuracy": "test_accuracy", "loss": "temperature_loss", "ece": "temperature_ece"},
}
"""Metric of a run for each measure, by the way in which its predictions are made."""


@dataclass(frozen=True, kw_only=True)
class ConfidenceRow:
    """Test metrics of one condition, predicted in one way.

    Attributes:
        condition: Its name.
        method: One of `METHODS`, or "ensemble".
        num_seeds: Runs that were averaged over; members of an ensemble, which is evaluated once.
        means: Mean over the runs for each of `MEASURES`.
        sds: Sample standard deviations; NaN for one run or an ensemble.
    """

    condition: str
    method: str
    num_seeds: int
    means: Mapping[str, float]
    sds: Mapping[str, float]


def confidence_rows(runs: Sequence[RunRecord], ensembles: Sequence[Ensemble] = ()) -> list[ConfidenceRow]:
    """Return one row per condition and method that its runs have.

    Args:
        runs: Evaluated runs.
        ensembles: Ensembles of the conditions with several seeds.
    """
    rows = []
    for condition in dict.fromkeys(run.condition for run in runs):
        own = [run.metrics for run in runs if run.condition == condition]
        for method, metrics in METHODS.items():
            having = [one for one in own if one.keys() >= set(metrics.values())]
            if having:
                values = {name: np.array([one[metric] for one in having]) for name, metric in metrics.items()}
                rows.append(
                    ConfidenceRow(
                        condition=condition,
                        method=method,
                        num_seeds=len(having),
                        means={name: float(np.mean(one)) for name, one in values.items()},
                        sds={name: _sd(one) for name, one in values.items()},
                    )
                )
        rows += [
            ConfidenceRow(
                condition=condition,
                method="ensemble",
                num_seeds=one.num_seeds,
                means={name: float(getattr(one, name)) for name in MEASURES},
                sds=dict.fromkeys(MEASURES, math.nan),
            )
            for one in ensembles
            if one.condition == condition
        ]
    return rows


def _sd(values: np.ndarray) -> float:
    return float(np.std(values, ddof=1)) if len(values) > 1 else math.nan
