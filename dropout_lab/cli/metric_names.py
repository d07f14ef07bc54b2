"""Names of metrics on the command line: short ones to type, short labels for narrow terminals."""

from collections.abc import Sequence

from dropout_lab.evaluation.metrics import metric_info
from dropout_lab.evaluation.registry import CLASS_ACCURACY, Measured, Unit

ALIASES = {
    "acc": "test_accuracy",
    "loss": "test_loss",
    "gap": "generalization_gap",
    "brier": "test_brier",
    "ece": "test_ece",
}
"""What `--metric` also takes. The training metric ``loss``, measured with dropout on, is no name for it."""

_SHORT = {
    "test ": "",
    "generalization gap": "gap",
    "Brier score": "Brier",
    "calibration error": "ECE",
    "train seconds": "time",
}

BY_CLASS = "Test accuracy by class"


def full_name(name: str) -> str:
    """Return the metric that a name or an alias means."""
    return ALIASES.get(name.lower(), name)


def short_label(metric: str) -> str:
    """Return the label of a metric for narrow tables, such as ``accuracy`` for the test accuracy."""
    label = metric_info(metric).label
    for long, short in _SHORT.items():
        label = label.replace(long, short)
    return label


def label(metric: str, classes: Sequence[str] = ()) -> str:
    """Return the label of a metric; below the heading `BY_CLASS`, of a class number and name: ``3 Dress``."""
    member = CLASS_ACCURACY.member(metric)
    if member and member.isdecimal():
        return " ".join([member, *classes[int(member) : int(member) + 1]])
    info = metric_info(metric)
    return f"{info.label}, dropout on" if info.measured is Measured.EPOCH_WITH_DROPOUT else info.label


def is_incidental(metric: str) -> bool:
    """Return whether a value says nothing about the result: times and measured dropped fractions."""
    info = metric_info(metric)
    return info.unit is Unit.SECONDS or info.measured is Measured.CHECK
