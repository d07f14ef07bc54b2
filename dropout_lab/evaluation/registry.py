"""The registry of metrics: what each one means, which way is good, what is too small to matter, its unit.

All that the laboratory knows of a metric is its entry here. `evaluation.measures` computes the measures.
"""

from collections.abc import Iterable
from dataclasses import replace

from dropout_lab.evaluation.properties import Measured as Measured
from dropout_lab.evaluation.properties import MetricFamily as MetricFamily
from dropout_lab.evaluation.properties import MetricInfo as MetricInfo
from dropout_lab.evaluation.properties import Unit as Unit
from dropout_lab.evaluation.robustness import DETECTION_FAMILIES, DETECTION_METRICS, SHIFT_MEASURES

_MEASURE_INFOS = (
    MetricInfo(
        name="accuracy",
        label="accuracy",
        definition="Fraction of the examples classified correctly",
        higher_is_better=True,
        margin=0.002,
        unit=Unit.FRACTION,
    ),
    MetricInfo(
        name="loss",
        label="loss",
        definition="Mean cross-entropy",
        higher_is_better=False,
        margin=0.01,
        unit=Unit.NATS,
    ),
    MetricInfo(
        name="brier",
        label="Brier score",
        definition="Mean squared distance between the probabilities and the one-hot label, 0 to 2",
        higher_is_better=False,
        margin=0.005,
    ),
    MetricInfo(
        name="ece",
        label="calibration error",
        definition="Expected calibration error over 15 bins of equal width",
        higher_is_better=False,
        margin=0.005,
    ),
)
"""Measures of class probabilities. Each is a final metric of the test set and of the training set."""

_EVALUATED_INFOS = (
    MetricInfo(
        name="ece_equal_mass",
        label="equal-mass calibration error",
        definition="Expected calibration error over 15 bins of equal numbers of predictions",
        higher_is_better=False,
        margin=0.005,
    ),
    MetricInfo(
        name="aurc",
        label="area under the risk-coverage curve",
        definition="Mean error rate over all coverages, the most confident predictions first",
        higher_is_better=False,
        margin=0.002,
    ),
    MetricInfo(
        name="accuracy_at_80",
        label="accuracy at 80% coverage",
        definition="Accuracy on the 80% of the examples with the most confident predictions",
        higher_is_better=True,
        margin=0.002,
        unit=Unit.FRACTION,
    ),
    MetricInfo(
        name="entropy",
        label="predictive entropy",
        definition="Mean entropy of the class probabilities",
        unit=Unit.NATS,
    ),
)
"""Measures of class probabilities that `evaluate` adds."""
_MUTUAL_INFORMATION = MetricInfo(
    name="mutual_information",
    label="mutual information",
    definition="Mean mutual information of the class and the dropout masks",
    unit=Unit.NATS,
)

MEASURES = tuple(measure.name for measure in _MEASURE_INFOS)
EVALUATED_MEASURES = tuple(measure.name for measure in _EVALUATED_INFOS)
BY_FORM = {
    **{measure.name: measure for measure in (*_MEASURE_INFOS, *_EVALUATED_INFOS, _MUTUAL_INFORMATION)},
    "seconds": MetricInfo(name="seconds", label="seconds", higher_is_better=False, unit=Unit.SECONDS),
}


def _part(
    part: str, where: str, measured: Measured, names: Iterable[str] = MEASURES, label: str = ""
) -> list[MetricInfo]:
    """Return the metrics ``PART_MEASURE`` of one part of the data; ``MEASURE`` for the part ``""``."""
    return [
        replace(
            BY_FORM[name],
            name=f"{part}_{name}" if part else name,
            label=f"{label or part} {BY_FORM[name].label}".strip(),
            definition=f"{BY_FORM[name].definition} ({where}).",
            measured=measured,
        )
        for name in names
    ]


def _seconds(what: str, definition: str, measured: Measured) -> MetricInfo:
    return replace(
        BY_FORM["seconds"],
        name=f"{what}_seconds",
        label=f"{what} seconds",
        definition=definition,
        measured=measured,
    )


_SHIFT_METRICS = tuple(
    # Seeds differ more in what they do to images that no training had.
    replace(metric, margin=5 * (metric.margin or 0))
    for metric in _part("shift", "shifted test images, dropout off", Measured.EVALUATED, SHIFT_MEASURES)
)
"""Means over all shifts and severities."""

METRICS = {
    metric.name: metric
    for metric in (
        *_part("test", "test set, dropout off", Measured.FINAL),
        *_part("train", "training set, dropout off", Measured.FINAL),
        MetricInfo(
            name="generalization_gap",
            label="generalization gap",
            definition="Training accuracy minus test accuracy, both with dropout off.",
            margin=0.002,
            unit=Unit.FRACTION,
            measured=Measured.FINAL,
            gap_of=("train_accuracy", "test_accuracy"),
        ),
        MetricInfo(
            name="loss_gap",
            label="loss gap",
            definition="Test loss minus training loss, both with dropout off.",
            margin=0.01,
            unit=Unit.NATS,
            measured=Measured.FINAL,
            gap_of=("test_loss", "train_loss"),
        ),
        *_part("test", "test set, dropout off", Measured.EVALUATED, EVALUATED_MEASURES),
        *(
            replace(metric, settings=("monte_carlo.mc_samples",))
            for metric in _part(
                "mc",
                "test set, mean over Monte Carlo dropout",
                Measured.EVALUATED,
                (*MEASURES, *EVALUATED_MEASURES, _MUTUAL_INFORMATION.name),
                label="MC dropout",
            )
        ),
        MetricInfo(
            name="temperature",
            label="temperature",
            definition="Temperature of the smallest validation loss; above 1 for an overconfident network.",
            measured=Measured.EVALUATED,
        ),
        *_part(
            "temperature",
            "test set, dropout off, probabilities scaled by the temperature",
            Measured.EVALUATED,
            ("loss", "brier", "ece", "ece_equal_mass"),
            label="temperature-scaled",
        ),
        *(
            replace(metric, label=metric.label.replace("pwp", "weighted-pooling"))
            for metric in _part("pwp", "test set, probabilistic weighted pooling", Measured.EVALUATED)
        ),
        *_SHIFT_METRICS,
        *DETECTION_METRICS,
        *_part("", "training set, dropout on", Measured.EPOCH_WITH_DROPOUT, ("loss", "accuracy")),
        *_part("val", "validation set, dropout off", Measured.EPOCH, ("loss", "accuracy")),
        _seconds("epoch", "Time of an epoch's training steps, without validation.", Measured.EPOCH),
        MetricInfo(
            name="best_epoch",
            label="best epoch",
            definition="Epoch whose weights early stopping restored.",
            unit=Unit.EPOCHS,
            measured=Measured.SELECTION,
        ),
        _seconds("train", "Time of all training steps, without validation.", Measured.TIME),
        _seconds("evaluation", "Time of the final evaluation.", Measured.TIME),
    )
}
"""All metrics with one name, by name."""

CLASS_ACCURACY = MetricFamily(
    "test_accuracy_class_",
    MetricInfo(
        name="",
        label="test accuracy class",
        definition="Fraction of a class's test examples classified correctly, dropout off.",
        higher_is_better=True,
        margin=0.01,
        unit=Unit.FRACTION,
        measured=Measured.FINAL,
    ),
)
DROPPED_FRACTION = MetricFamily(
    "dropped_fraction_",
    MetricInfo(
        name="",
        label="dropped fraction",
        definition="Fraction of a site's units that training steps dropped.",
        unit=Unit.FRACTION,
        measured=Measured.CHECK,
    ),
)
DROPOUT_RATE = MetricFamily(
    "dropout_rate_",
    MetricInfo(
        name="",
        label="dropout rate",
        definition="Rate in an epoch's last training step, of a site whose rate changes or is learned.",
        unit=Unit.FRACTION,
        measured=Measured.EPOCH,
    ),
)
SYSTEM = MetricFamily(
    "system/",
    MetricInfo(name="", label="", definition="Load of the machine.", measured=Measured.MACHINE),
)
SHIFT_FAMILIES = tuple(MetricFamily(f"{metric.name}_", replace(metric, name="")) for metric in _SHIFT_METRICS)
"""Metrics of one shift, ``shift_accuracy_noise``, and of it at one severity, ``shift_accuracy_noise_3``."""
FAMILIES = (CLASS_ACCURACY, DROPPED_FRACTION, DROPOUT_RATE, SYSTEM, *SHIFT_FAMILIES, *DETECTION_FAMILIES)

FINAL_METRICS = tuple(metric.name for metric in METRICS.values() if metric.measured is Measured.FINAL)
"""Metrics that every finished run has."""
EVALUATED_METRICS = tuple(metric.name for metric in METRICS.values() if metric.measured is Measured.EVALUATED)
"""Metrics that runs have after `evaluate`."""
COMPARED_METRICS = FINAL_METRICS + EVALUATED_METRICS
"""Metrics that can be the primary one."""
EPOCH_METRICS = tuple(
    metric.name
    for metric in METRICS.values()
    if metric.measured in (Measured.EPOCH, Measured.EPOCH_WITH_DROPOUT)
)
"""Metrics with a value for every epoch."""
