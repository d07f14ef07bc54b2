"""The registry of metrics: what each one means, which way is good, what is too small to matter, its unit.

All that the laboratory knows of a metric is its entry here. `evaluation.measures` computes the measures.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum


class Unit(StrEnum):
    """Unit of a metric, as written on axes."""

    NONE = ""
    FRACTION = "%"
    """A fraction of 1, shown in percent; differences in percentage points."""
    NATS = "nats"
    SECONDS = "s"


class Measured(StrEnum):
    """When a metric is measured."""

    FINAL = "final"
    """Once after training, with dropout off."""
    EPOCH = "epoch"
    """After every epoch, with dropout off."""
    EPOCH_WITH_DROPOUT = "epoch with dropout"
    """Over every epoch's training steps: dropout on, weights still changing."""
    CHECK = "check"
    """Once before training."""
    TIME = "time"
    """Time of the whole run's training or evaluation."""
    MACHINE = "machine"
    """Load of the machine, every few seconds."""
    UNKNOWN = "unknown"
    """By others."""


@dataclass(frozen=True, kw_only=True)
class MetricInfo:
    """Properties of one metric.

    Attributes:
        label: Name without unit, for titles and axes.
        definition: What is measured, in one sentence.
        higher_is_better: None if neither direction is known to be good.
        margin: Default equivalence margin; None if no difference is known to be too small to matter.
        gap_of: The two metrics whose difference it is, of training and test set. A gap is best near 0: a
            negative one is underfitting.
    """

    name: str
    label: str
    definition: str = ""
    higher_is_better: bool | None = None
    margin: float | None = None
    unit: Unit = Unit.NONE
    measured: Measured = Measured.UNKNOWN
    gap_of: tuple[str, str] | None = None

    @property
    def is_gap(self) -> bool:
        """Whether it is a difference between training and test set."""
        return self.gap_of is not None

    @property
    def percent(self) -> bool:
        """Whether it is shown in percent, differences in percentage points."""
        return self.unit is Unit.FRACTION


@dataclass(frozen=True)
class MetricFamily:
    """Metrics of equal meaning for each member of something: each class, each site, each counter.

    Attributes:
        prefix: Beginning of their names; the rest names the member.
        info: Properties of each.
    """

    prefix: str
    info: MetricInfo

    def name(self, member: object) -> str:
        """Return the name of the metric of `member`."""
        return f"{self.prefix}{member}"

    def member(self, name: str) -> str | None:
        """Return the member that the metric called `name` is about; None if it is not of this family."""
        return name.removeprefix(self.prefix) if name.startswith(self.prefix) else None

    def members(self, names: Iterable[str]) -> list[str]:
        """Return the members among metrics, each once: numbers by value, then others by name."""
        found = {member for name in names if (member := self.member(name))}
        return sorted(found, key=lambda one: (not one.isdecimal(), int(one) if one.isdecimal() else 0, one))


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

MEASURES = tuple(measure.name for measure in _MEASURE_INFOS)
BY_FORM = {
    **{measure.name: measure for measure in _MEASURE_INFOS},
    "seconds": MetricInfo(name="seconds", label="seconds", higher_is_better=False, unit=Unit.SECONDS),
}


def _part(part: str, where: str, measured: Measured, names: Iterable[str] = MEASURES) -> list[MetricInfo]:
    """Return the metrics ``PART_MEASURE`` of one part of the data; ``MEASURE`` for the part ``""``."""
    return [
        replace(
            BY_FORM[name],
            name=f"{part}_{name}" if part else name,
            label=f"{part} {BY_FORM[name].label}".strip(),
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
        *_part("", "training set, dropout on", Measured.EPOCH_WITH_DROPOUT, ("loss", "accuracy")),
        *_part("val", "validation set, dropout off", Measured.EPOCH, ("loss", "accuracy")),
        _seconds("epoch", "Time of an epoch's training steps, without validation.", Measured.EPOCH),
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
SYSTEM = MetricFamily(
    "system/",
    MetricInfo(name="", label="", definition="Load of the machine.", measured=Measured.MACHINE),
)
FAMILIES = (CLASS_ACCURACY, DROPPED_FRACTION, SYSTEM)

FINAL_METRICS = tuple(metric.name for metric in METRICS.values() if metric.measured is Measured.FINAL)
"""Metrics that can be the primary one."""
EPOCH_METRICS = tuple(
    metric.name
    for metric in METRICS.values()
    if metric.measured in (Measured.EPOCH, Measured.EPOCH_WITH_DROPOUT)
)
"""Metrics with a value for every epoch."""
