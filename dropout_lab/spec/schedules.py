"""Schedules of the dropout rate: how it changes during training."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import BeforeValidator, Field, SerializerFunctionWrapHandler, model_serializer

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
RAMPS: Final[tuple[Shape, ...]] = ("linear", "cosine")

Fraction = Annotated[float, Field(ge=0, le=1)]


class Schedule(Frozen):
    """How the rate of a site changes from step to step: as a fraction of its `rate`, which is the highest."""

    shape: Shape | None = None
    """`constant`; `linear` or `cosine` from `start` to `end`; `early` (the rate, then 0) or `late` (0, then
    the rate); `curriculum` (exponentially from 0 towards the rate)."""
    until: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    """Epochs, or steps, that `linear` and `cosine` take (default: all), or after which `early` ends and
    `late` begins."""
    start: Fraction = 0.0
    """Rate in the first step, as a fraction of the rate of the site."""
    end: Fraction = 1.0
    """Rate in the last step of `until` and after it, as a fraction of the rate of the site."""
    gamma: Annotated[float, Field(gt=0, le=1000)] | None = None
    """Speed of `curriculum` per epoch or step. Default: 10 over the whole training."""
    unit: Literal["epochs", "steps"] = "epochs"
    """Unit of `until` and of `gamma`."""

    @model_serializer(mode="wrap")
    def _fields_with_effect(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields = {name: value for name, value in serialize(self).items() if value is not None}
        if self.shape is None:  # changes the fields of another one
            return {name: value for name, value in fields.items() if name in self.model_fields_set}
        if self.until is None and self.gamma is None and "unit" not in self.model_fields_set:
            fields.pop("unit", None)
        return {name: value for name, value in fields.items() if name in ("shape", *FIELDS[self.shape])}

    @property
    def is_constant(self) -> bool:
        """Whether the rate never changes."""
        return self.shape in (None, "constant")

    def __str__(self) -> str:
        """Return the schedule in words, such as ``early until epoch 5``."""
        words: list[str] = [self.shape or "constant"]
        one = self.unit.removesuffix("s")
        if self.shape in RAMPS:
            words.append(f"from {self.start:g} to {self.end:g} times the rate")
        if self.until is not None:
            words.append(f"until {one} {self.until:,}")
        if self.gamma is not None:
            words.append(f"with gamma {self.gamma:g} per {one}")
        return " ".join(words)


def to_schedule(value: Any) -> Any:
    """Return a mapping for a shape alone, and anything else unchanged."""
    return {"shape": value} if isinstance(value, str) else value


ScheduleField = Annotated[Schedule, BeforeValidator(to_schedule, json_schema_input_type=Shape | Schedule)]
"""A schedule, or its shape alone if the other fields have defaults."""


def merge_schedules(base: Any, change: Any) -> Any:
    """Return the schedule `base` as `change` changes it, both in plain form: a shape replaces everything."""
    base, change = to_schedule(base), to_schedule(change)
    if isinstance(base, Mapping) and isinstance(change, Mapping) and "shape" not in change:
        return {**base, **change}
    return change
