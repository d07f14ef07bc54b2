"""Properties of a metric: what it means, which way is good, what is too small to matter, its unit."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Unit(StrEnum):
    """Unit of a metric, as written on axes."""

    NONE = ""
    FRACTION = "%"
    """A fraction of 1, shown in percent; differences in percentage points."""
    NATS = "nats"
    SECONDS = "s"
    EPOCHS = "epochs"


class Measured(StrEnum):
    """When a metric is measured."""

    FINAL = "final"
    """Once after training, with dropout off."""
    EPOCH = "epoch"
    """After every epoch, with dropout off."""
    EPOCH_WITH_DROPOUT = "epoch with dropout"
    """Over every epoch's training steps: dropout on, weights still changing."""
    EVALUATED = "evaluated"
    """By `evaluate` after training: what dropout does to confidence."""
    SELECTION = "selection"
    """By early stopping, from the validation metrics of all epochs."""
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
        settings: Settings of the evaluation that its value depends on, as ``PART.SETTING``.
    """

    name: str
    label: str
    definition: str = ""
    higher_is_better: bool | None = None
    margin: float | None = None
    unit: Unit = Unit.NONE
    measured: Measured = Measured.UNKNOWN
    gap_of: tuple[str, str] | None = None
    settings: tuple[str, ...] = ()

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
