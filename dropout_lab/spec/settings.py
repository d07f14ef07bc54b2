"""The settings of one condition as frozen pydantic models: every field described, unknown keys refused."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

DROPOUT_SITES = ("conv1", "conv2", "dense")
"""Sites of Dropout layers: after each convolution and after the hidden dense layer."""


Seed = Annotated[int, Field(ge=0, lt=2**31)]


Rate = Annotated[float, Field(ge=0, lt=1, description="Fraction dropped, in [0, 1).")]


def spread_rate(value: Any) -> Any:
    """Return one rate for each site if `value` is a single rate, else `value`, which the validator checks."""
    is_rate = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1
    return dict.fromkeys(DROPOUT_SITES, value) if is_rate else value


def list_to_tuple(value: Any) -> Any:
    """Return a list as a tuple, and anything else unchanged."""
    return tuple(value) if isinstance(value, list) else value


def _check_validation(value: Any) -> Any:
    """Accept `test`, a fraction or a count, with one message instead of a union's three."""
    is_count = isinstance(value, int) and not isinstance(value, bool) and 1 <= value < 60_000
    is_fraction = isinstance(value, float) and 0 < value < 1
    if value == "test" or is_count or is_fraction:
        return value
    raise PydanticCustomError(
        "validation",
        "test, a fraction between 0 and 1, or a count of images from 1 to 59,999",
    )


class Frozen(BaseModel):
    """Base of all parts of a spec: immutable, strictly typed, without unknown keys."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


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


class TrainingSpec(Frozen):
    """Training settings."""

    epochs: Annotated[int, Field(ge=1, le=10_000)] = 10
    """Passes over the training set."""
    batch_size: Annotated[int, Field(ge=1, le=60_000)] = 200
    """Batch size; the last batch may be smaller."""
    optimizer: Literal["adam", "sgd", "rmsprop"] = "adam"
    """Optimizer, with the Keras defaults except the learning rate."""
    learning_rate: Annotated[float, Field(gt=0, le=100)] = 0.001
    """Learning rate of the optimizer."""
    engine: Literal["auto", "fast", "stock"] = "auto"
    """Training engine: `stock` Keras layers, the `fast` CPU path, or `auto` (fast if possible)."""
    precision: Literal["float32", "mixed_float16", "mixed_bfloat16"] = "float32"
    """Keras dtype policy; mixed precision is for GPUs."""


class DataSpec(Frozen):
    """Images for training, validation and test."""

    folder: Annotated[str, StringConstraints(min_length=1, max_length=4096)] | None = None
    """Folder of the four IDX files. Default: DROPOUT_LAB_DATA, the Keras cache, then the system folder."""
    validation: Annotated[Literal["test"] | float | int, BeforeValidator(_check_validation)] = "test"
    """`test` (as published), or a fraction (0 to 1) or count of images split from the training set."""
    split_seed: Seed = 0
    """Seed of the validation split, shared by all runs so that all train on the same images."""
    num_train: Annotated[int, Field(ge=10, le=60_000)] | None = None
    """Number of training images to use, from the first (before the split). Default: all."""
    num_test: Annotated[int, Field(ge=10, le=10_000)] | None = None
    """Number of test images to use, from the first. Default: all."""
    resample: bool = False
    """Draw other training and validation images for each seed, the same in all conditions."""


Device = Annotated[str, StringConstraints(pattern=r"^(auto|cpu|gpu(:[0-9]{1,3})?)$")]


class Settings(Frozen):
    """Settings that determine a run's result, except the seed."""

    model: ModelSpec = ModelSpec()
    """The network and its dropout."""
    training: TrainingSpec = TrainingSpec()
    """Epochs, batches, optimizer."""
    device: Device = "auto"
    """Hardware: auto (the first GPU, else the CPU), cpu, gpu, or gpu:N."""
    data: DataSpec = DataSpec()
    """Images for training, validation and test."""


def flatten(settings: BaseModel) -> dict[str, str]:
    """Return every field of `settings` as ``{"model.dropout.conv1": "0.2", ...}``: as it is logged."""

    def leaves(prefix: str, value: Any) -> dict[str, str]:
        if isinstance(value, Mapping):
            return {k: v for key, part in value.items() for k, v in leaves(f"{prefix}.{key}", part).items()}
        if isinstance(value, list | tuple):
            return {prefix.lstrip("."): ",".join(map(str, value))}
        return {prefix.lstrip("."): "" if value is None else str(value)}

    return leaves("", settings.model_dump())
