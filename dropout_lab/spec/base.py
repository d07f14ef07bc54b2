"""What all parts of a spec share: the frozen base model and common types."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Seed = Annotated[int, Field(ge=0, lt=2**31)]


def list_to_tuple(value: Any) -> Any:
    """Return a list as a tuple, and anything else unchanged."""
    return tuple(value) if isinstance(value, list) else value


class Frozen(BaseModel):
    """Base of all parts of a spec: immutable, strictly typed, without unknown keys."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )
