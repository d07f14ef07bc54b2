"""What all parts of a spec share: the frozen base model and common types."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

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


class Frozen(BaseModel):
    """Base of all parts of a spec: immutable, strictly typed, without unknown keys."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )
