"""Schedules of the dropout rate: how it changes during training."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import BeforeValidator, Field

from dropout_lab.spec.base import Frozen

Shape = Literal["constant", "linear", "cosine", "early", "late", "curriculum"]
SHAPES: Final[tuple[Shape, ...]] = get_args(Shape)

FIELDS: Final[Mapping[Shape, tuple[str, ...]]] = {
    "constant": (),
    "linear": ("start", "end", "until", "unit"),
    "cosine": ("start", "end", "until", "unit"),
    "early": ("until", "unit"),
    "late": ("until", "unit"),
    "curriculum": ("gamma", "unit"),
}
"""Fields that apply to each shape."""

NEEDS_UNTIL: Final[tuple[Shape, ...]] = ("early", "late")

Fraction = Annotated[float, Field(ge=0, le=1)]


class Schedule(Frozen):
    """How the rate changes during training: by step, as fractions of the rate of the site.

    The site drops at most at its rate.
    """

    shape: Shape = "constant"
    """`constant`; `linear` or `cosine` from `start` to `end`; `early` (the rate until a step, then 0);
    `late` (0, then the rate); `curriculum` (from 0 towards the rate, exponentially)."""
    until: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    """Number of epochs, or of steps, that `linear` and `cosine` take (default: all), and after which `early`
    ends and `late` begins."""
    start: Fraction = 0.0
    """Rate in the first step, as a fraction of the rate of the site."""
    end: Fraction = 1.0
    """Rate from the last step of `until` on, as a fraction of the rate of the site."""
    gamma: Annotated[float, Field(gt=0, le=1000)] | None = None
    """Speed of `curriculum` per epoch or step. Default: 10 over the whole training."""
    unit: Literal["epochs", "steps"] = "epochs"
    """Unit of `until` and of `gamma`."""

    @property
    def is_constant(self) -> bool:
        """Whether the rate never changes."""
        return self.shape == "constant"

    def content(self, *, mode: Literal["json", "python"] = "python") -> dict[str, Any]:
        """Return the fields that have an effect."""
        fields = self.model_dump(mode=mode, include={"shape", *FIELDS[self.shape]}, exclude_none=True)
        if "until" not in fields and "gamma" not in fields:
            fields.pop("unit", None)
        return fields

    def __str__(self) -> str:
        """Return the schedule in words, such as ``early until epoch 5``."""
        words: list[str] = [self.shape]
        if self.shape in ("linear", "cosine"):
            words.append(f"from {self.start:g} to {self.end:g} of the rate")
        if self.until is not None and "until" in FIELDS[self.shape]:
            words.append(f"until {self.unit.removesuffix('s')} {self.until:,}")
        if self.gamma is not None and self.shape == "curriculum":
            words.append(f"with gamma {self.gamma:g} per {self.unit.removesuffix('s')}")
        return " ".join(words)


def _to_schedule(value: Any) -> Any:
    """Return a mapping for a shape without fields, and anything else unchanged."""
    return {"shape": value} if isinstance(value, str) else value


ScheduleField = Annotated[
    Schedule,
    BeforeValidator(_to_schedule, json_schema_input_type=Shape | Schedule),
]
"""A schedule, or a shape alone if its fields have defaults."""


def merge_schedules(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` as `change` changes it: another shape replaces the whole schedule."""
    return dict(change) if "shape" in change else {**base, **change}
