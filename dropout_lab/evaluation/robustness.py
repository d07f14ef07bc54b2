"""Names of what robustness is measured on, and metrics of the detection of out-of-distribution inputs."""

from dataclasses import replace
from typing import Literal, get_args

from dropout_lab.evaluation.properties import Measured, MetricFamily, MetricInfo, Unit

ShiftName = Literal["noise", "blur", "contrast", "translation", "rotation"]
"""Way to change test images; see `data.shifts`."""
SHIFT_NAMES: tuple[ShiftName, ...] = get_args(ShiftName)
SEVERITIES = (1, 2, 3, 4, 5)
SHIFT_MEASURES = ("accuracy", "loss", "brier", "ece")
"""Measures of class probabilities that are taken on shifted images."""
SetName = Literal["digits", "uniform", "inverted_test", "shuffled_test"]
"""Set of inputs from outside the distribution; see `data.out_of_distribution`."""
SET_NAMES: tuple[SetName, ...] = get_args(SetName)

SCORES = {
    "ood": "1 minus the largest probability, dropout off",
    "ood_entropy": "predictive entropy, dropout off",
    "mc_ood": "1 minus the largest probability, mean over Monte Carlo dropout",
    "mc_ood_entropy": "predictive entropy, mean over Monte Carlo dropout",
    "mc_ood_mutual_information": "mutual information of the class and the dropout masks",
}
"""What inputs from outside are detected by: the beginning of the metrics' names, and the meaning."""

_INFOS = (
    MetricInfo(
        name="auroc",
        label="AUROC",
        definition="Area under the ROC curve of separating out-of-distribution inputs from test examples",
        higher_is_better=True,
        margin=0.01,
        measured=Measured.EVALUATED,
    ),
    MetricInfo(
        name="fpr95",
        label="FPR at 95% TPR",
        definition="Fraction of out-of-distribution inputs accepted where 95% of the test examples are",
        higher_is_better=False,
        margin=0.02,
        unit=Unit.FRACTION,
        measured=Measured.EVALUATED,
    ),
)


def _of_score(info: MetricInfo, prefix: str, meaning: str) -> MetricInfo:
    label = f"{prefix.replace('_', ' ').replace('ood', 'OOD')} {info.label}"
    definition = f"{info.definition} ({meaning})."
    settings = ("out_of_distribution.mc_samples",) if prefix.startswith("mc_") else ()
    return replace(info, name=f"{prefix}_{info.name}", label=label, definition=definition, settings=settings)


DETECTION_METRICS = tuple(
    _of_score(info, prefix, meaning) for prefix, meaning in SCORES.items() for info in _INFOS
)
"""Means over all sets that apply to a dataset."""
DETECTION_FAMILIES = tuple(
    MetricFamily(f"{metric.name}_", replace(metric, name="")) for metric in DETECTION_METRICS
)
"""Metrics of single sets."""
