"""The table of what conditions do on shifted images and on inputs from outside the distribution."""

from collections.abc import Sequence

import numpy as np

from dropout_lab.evaluation.metrics import format_mean_sd, metric_info
from dropout_lab.evaluation.robustness import SET_NAMES, SHIFT_NAMES
from dropout_lab.records import RunRecord
from dropout_lab.reporting.tables import TextTable

METRICS = (
    *(f"shift_accuracy_{name}" for name in SHIFT_NAMES),
    "shift_accuracy",
    *(f"ood_auroc_{name}" for name in SET_NAMES),
    "ood_auroc",
    "mc_ood_auroc",
    "mc_ood_mutual_information_auroc",
)


def robustness_table(runs: Sequence[RunRecord]) -> TextTable | None:
    """Return the mean metrics by condition; None if `runs` have none."""
    rows = []
    for metric in METRICS:
        for condition in dict.fromkeys(run.condition for run in runs):
            values = [
                run.metrics[metric] for run in runs if run.condition == condition and metric in run.metrics
            ]
            if values:
                sd = float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")
                shown = format_mean_sd(metric, float(np.mean(values)), sd)
                rows.append((metric_info(metric).label, condition, str(len(values)), shown))
    headings = ("Metric", "Condition", "Seeds", "Value")
    return TextTable(f"Robustness of {runs[0].experiment_name}", headings, tuple(rows)) if rows else None
