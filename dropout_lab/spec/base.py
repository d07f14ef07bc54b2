"""What all parts of a spec share: the frozen base model and common types."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue

Seed = Annotated[int, Field(ge=0, lt=2**31)]


class _HashableDict(dict[str, Any]):
    """A mapping that is not changed, so that what holds it can be a key."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(json.dumps(self, sort_keys=True))


Arguments = Annotated[Mapping[str, JsonValue], AfterValidator(_HashableDict), Field(validate_default=True)]
"""Keyword arguments of a function, as YAML and JSON have them."""


def list_to_tuple(value: Any) -> Any:
    """Return a list as a tuple, and anything else unchanged."""
    return tuple(value) if isinstance(value, list) else value


def count_to_seeds(value: Any, most: int, first: int = 0) -> Any:
    """Return `value` seeds from `first` on for a count of at most `most`, and a tuple for a list."""
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most:
        return tuple(range(first, first + value))
    return list_to_tuple(value)


class _Later:
    """See `LATER`."""


LATER: Final = _Later()
"""Marks a field, in `Annotated`, that earlier versions did not have. At its default it is no part of what is
logged, so that the logged settings and the fingerprints of specs without it stay what they were."""


class Frozen(BaseModel):
    """Base of all parts of a spec: immutable, strictly typed, without unknown keys."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )

    def applies(self, field: str) -> bool:  # noqa: ARG002 - some parts of a spec depend on it
        """Return whether `field` has a meaning beside the other fields."""
        return True

    def content(self, *, mode: Literal["json", "python"] = "python") -> dict[str, Any]:
        """Return the fields that apply, without those of `LATER` at their default."""
        names = [
            name
            for name, field in type(self).model_fields.items()
            if self.applies(name) and not (LATER in field.metadata and getattr(self, name) == field.default)
        ]
        parts = {name: part for name in names if isinstance(part := getattr(self, name), Frozen)}
        plain = self.model_dump(mode=mode, include=set(names))
        return plain | {name: part.content(mode=mode) for name, part in parts.items()}
