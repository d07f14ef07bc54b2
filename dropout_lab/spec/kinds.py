"""Dropout at one site, as a spec states it: a rate, a kind, and the parameters of the kind."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal, Self, get_args

from pydantic import (
    Field,
    PlainValidator,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticCustomError

from dropout_lab.spec.base import Frozen
from dropout_lab.spec.schedules import Schedule, ScheduleField, merge_schedules, to_schedule

AS_BUILT: Final = "as_built"
"""Word for the rate that the function of a network gives a site."""

Rate = Annotated[float, Field(ge=0, lt=1, description="Fraction dropped, in [0, 1).")]
SiteRate = float | Literal["as_built"]

Kind = Literal[
    "standard", "spatial", "gaussian", "alpha", "dropblock", "dropconnect", "stochastic_depth", "concrete"
]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

PARAMETERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "dropblock": {"block_size": 7},
    "concrete": {"temperature": 0.1, "length_scale": 1e-4},
}
"""The parameters of each kind that has some, with their defaults."""


MERGED: Final = {"merged": True}
"""Validation context of settings that several places contributed to; `check_whole` checks these."""


def is_rate(value: Any) -> bool:
    """Return whether `value` is a rate, or ``as_built``."""
    if isinstance(value, int | float):
        return not isinstance(value, bool) and 0 <= value < 1
    return isinstance(value, str) and value == AS_BUILT


def check_rate(value: Any) -> SiteRate:
    """Return a rate as a float, and ``as_built`` unchanged.

    Raises:
        PydanticCustomError: If `value` is neither.
    """
    if is_rate(value):
        return AS_BUILT if isinstance(value, str) else float(value)
    raise PydanticCustomError("rate", "a number at least 0 and below 1, or as_built")


class SiteDropout(Frozen):
    """Dropout at a site; what is not set comes from a wider pattern, else from the network as built."""

    rate: Annotated[
        SiteRate | None,
        PlainValidator(
            lambda value: None if value is None else check_rate(value),
            json_schema_input_type=Rate | Literal["as_built"] | None,
        ),
    ] = None
    """Fraction dropped, in [0, 1), or `as_built`. `concrete` starts from it and learns its own."""
    kind: Kind | None = None
    """What is dropped, and how. Default: the layer as it is built, `standard` in built-in networks."""
    block_size: Annotated[int, Field(ge=1, le=256)] | None = None
    """Side of the square that `dropblock` drops, in pixels of the map. Default: 7."""
    temperature: Annotated[float, Field(gt=0, le=10)] | None = None
    """Softness of the masks of `concrete`. Default: 0.1."""
    length_scale: Annotated[float, Field(gt=0, le=1000)] | None = None
    """Prior length scale of the weights behind `concrete`; a larger one decays them more. Default: 0.0001."""
    schedule: ScheduleField | None = None
    """How the rate changes during training. Default: it does not."""

    @model_validator(mode="after")
    def _check_parameters(self, info: ValidationInfo) -> Self:
        for field in self.foreign_parameters if self.kind and info.context is not MERGED else ():
            raise PydanticCustomError("does_not_apply", "{problem}", self.misplaced(field))
        return self

    @model_serializer(mode="wrap")
    def _set_fields(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields: dict[str, Any] = serialize(self)
        return {name: value for name, value in fields.items() if value is not None}

    @property
    def foreign_parameters(self) -> Iterator[str]:
        """Parameters that are set and belong to another kind."""
        own = PARAMETERS.get(self.kind or "", {})
        return (field for field in KIND_OF if field not in own and getattr(self, field) is not None)

    def misplaced(self, field: str) -> dict[str, Any]:
        """Return `field`, a parameter of another kind, with how to say so."""
        where = f"to the kind {self.kind}" if self.kind else "without a kind"
        problem = f"does not apply {where} (required: kind: {KIND_OF[field]})"
        return {"field": field, "problem": problem}


FIELDS: Final = frozenset(SiteDropout.model_fields)
"""Keys that make a mapping the setting of a site; no part of a layer has such a name."""

KIND_OF: Final = {field: kind for kind, fields in PARAMETERS.items() for field in fields}
"""The kind that each parameter belongs to."""

SiteSetting = SiteRate | SiteDropout


def combine(base: Any, change: Any) -> Any:
    """Return the setting `base` of a site as `change` changes it, both in plain form.

    A mapping changes the fields that it has; a bare rate replaces everything but the schedule. The
    parameters of a kind go with it.
    """
    if not isinstance(change, Mapping):
        is_scheduled = isinstance(base, Mapping) and "schedule" in base
        return {"rate": change, "schedule": base["schedule"]} if is_scheduled else change
    fields = dict(base) if isinstance(base, Mapping) else {"rate": base} if is_rate(base) else {}
    if "schedule" in fields and "schedule" in change:
        change = {**change, "schedule": merge_schedules(fields["schedule"], change["schedule"])}
    if "kind" in change and change["kind"] != fields.get("kind"):
        fields = {name: value for name, value in fields.items() if name not in KIND_OF}
    return fields | dict(change)


def plain_setting(setting: SiteSetting) -> Any:
    """Return a setting as YAML has it."""
    return setting.model_dump() if isinstance(setting, SiteDropout) else setting


def complete(setting: Any, built: float) -> float | SiteDropout:
    """Return a plain setting with its rate and all parameters of its kind; a bare rate if it is only one.

    Args:
        setting: A rate, or a mapping of fields.
        built: The rate of the site as the network is built.
    """
    fields = combine({}, setting) if isinstance(setting, Mapping) else {"rate": setting}
    rate = fields.get("rate", AS_BUILT)
    fields["rate"] = built if rate == AS_BUILT else float(rate)
    schedule = to_schedule(fields.get("schedule")) or {}
    if fields["rate"] == 0 or schedule.get("shape") == "constant":
        fields.pop("schedule", None)
    elif "unit" in schedule and not schedule.keys() & {"until", "gamma"}:  # the unit of nothing
        fields["schedule"] = {name: value for name, value in schedule.items() if name != "unit"}
    if set(fields) == {"rate"}:
        return float(fields["rate"])
    fields = {**PARAMETERS.get(fields.get("kind", ""), {}), **fields}
    return SiteDropout.model_validate(fields, context=MERGED)


def as_rate(setting: float | SiteDropout) -> float | SiteDropout:
    """Return a complete setting of a site that is built as standard dropout; its rate if it stays that."""
    if isinstance(setting, SiteDropout) and setting.kind == "standard":
        setting = setting.model_copy(update={"kind": None})
    is_bare = isinstance(setting, SiteDropout) and set(setting.model_dump()) == {"rate"}
    return float(rate_of(setting)) if is_bare else setting


def schedule_of(setting: SiteSetting) -> Schedule:
    """Return the schedule of a setting; the constant one if it has none."""
    return (setting.schedule if isinstance(setting, SiteDropout) else None) or Schedule()


def rate_of(setting: SiteSetting) -> SiteRate:
    """Return the rate of a setting; ``as_built`` if it states none."""
    if not isinstance(setting, SiteDropout):
        return setting
    return AS_BUILT if setting.rate is None else setting.rate


def is_off(setting: SiteSetting) -> bool:
    """Return whether a setting is no dropout: a rate of 0 without a kind."""
    return rate_of(setting) == 0 and not (isinstance(setting, SiteDropout) and setting.kind)
