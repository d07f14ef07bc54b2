"""The network and its dropout, as a spec states them."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from dropout_lab.spec.base import Frozen, list_to_tuple

DROPOUT_SITES = ("conv1", "conv2", "dense")
"""Sites of Dropout layers: after each convolution and after the hidden dense layer."""

Rate = Annotated[float, Field(ge=0, lt=1, description="Fraction dropped, in [0, 1).")]


def spread_rate(value: Any) -> Any:
    """Return one rate for each site if `value` is a single rate, else `value`, which the validator checks."""
    is_rate = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1
    return dict.fromkeys(DROPOUT_SITES, value) if is_rate else value


class DropoutRates(Frozen):
    """The dropout rate at each site of the network."""

    conv1: Rate = 0.0
    """Rate after the first convolution."""
    conv2: Rate = 0.0
    """Rate after the second convolution."""
    dense: Rate = 0.0
    """Rate after the hidden dense layer."""


class ModelSpec(Frozen):
    """The network; the published one by default."""

    dropout: Annotated[
        DropoutRates, BeforeValidator(spread_rate, json_schema_input_type=Rate | DropoutRates)
    ] = DropoutRates()
    """One rate for all sites, or a rate for each of conv1, conv2 and dense."""
    dropout_position: Literal["before_pooling", "after_pooling"] = "before_pooling"
    """Position of dropout in the convolution blocks; the published network drops before pooling."""
    filters: Annotated[
        tuple[Annotated[int, Field(ge=1, le=1024)], Annotated[int, Field(ge=1, le=1024)]],
        BeforeValidator(list_to_tuple),
    ] = (32, 64)
    """Filters of the first and the second convolution."""
    hidden_units: Annotated[int, Field(ge=1, le=16384)] = 128
    """Units of the hidden dense layer."""
