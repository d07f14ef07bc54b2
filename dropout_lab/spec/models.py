"""The YAML spec as frozen pydantic models: every field described, unknown keys refused.

The top level of a file holds the settings that all conditions share; ``conditions`` holds what each changes.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PrivateAttr,
    StringConstraints,
    Tag,
)
from pydantic_core import PydanticCustomError

from dropout_lab.design import DEFAULT_PRIMARY

DROPOUT_SITES = ("conv1", "conv2", "dense")
"""Sites of Dropout layers: after each convolution and after the hidden dense layer."""


def spread_rate(value: Any) -> Any:
    """Return one rate for each site if `value` is a single rate, else `value`, which the validator checks."""
    is_rate = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1
    return dict.fromkeys(DROPOUT_SITES, value) if is_rate else value


def _count_to_seeds(value: Any) -> Any:
    """Return the seeds 0 to n - 1 for a count n, and a tuple for a list."""
    if isinstance(value, list):
        return tuple(value)
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_SEEDS:
        return tuple(range(value))
    return value


def _list_to_tuple(value: Any) -> Any:
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


MAX_SEEDS = 1000

Name = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=100, pattern=r"^[A-Za-z0-9]([A-Za-z0-9 ._+-]*[A-Za-z0-9._+-])?$"
    ),
]
"""A name that is safe in file names, in MLflow and on a terminal."""

Seed = Annotated[int, Field(ge=0, lt=2**31)]

Rate = Annotated[float, Field(ge=0, lt=1, description="Fraction dropped, in [0, 1).")]


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
        BeforeValidator(_list_to_tuple),
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


class ClaimSpec(Frozen):
    """A claim about the result, stated before the runs."""

    metric: Annotated[str, StringConstraints(max_length=100, pattern=r"^[a-z][a-z0-9_]*$")]
    """Name of a final metric, such as generalization_gap."""
    condition: Name
    """The condition that the claim is about."""
    reference: Name = "baseline"
    """The condition to compare with."""
    expected: Literal["lower", "higher", "equivalent"]
    """Expected direction relative to the reference."""
    margin: Annotated[float, Field(ge=0)] = 0.0
    """Smallest difference (lower, higher), or largest difference (equivalent)."""


FinalMetric = Literal[
    "test_accuracy",
    "test_loss",
    "test_brier",
    "test_ece",
    "train_accuracy",
    "train_loss",
    "train_brier",
    "train_ece",
    "generalization_gap",
    "loss_gap",
]
"""Metrics measured once, after training, with dropout off."""


Margin = Annotated[float, Field(gt=0)]


class Margins(Frozen):
    """Largest difference that counts as equivalent, as a fraction; other metrics keep their defaults."""

    test_accuracy: Margin | None = None
    """Default 0.002 (0.2 points)."""
    test_loss: Margin | None = None
    """Default 0.01."""
    test_brier: Margin | None = None
    """Default 0.005."""
    test_ece: Margin | None = None
    """Default 0.005."""
    train_accuracy: Margin | None = None
    """Default 0.002 (0.2 points)."""
    train_loss: Margin | None = None
    """Default 0.01."""
    train_brier: Margin | None = None
    """Default 0.005."""
    train_ece: Margin | None = None
    """Default 0.005."""
    generalization_gap: Margin | None = None
    """Default 0.002 (0.2 points)."""
    loss_gap: Margin | None = None
    """Default 0.01."""


class SequentialSeeds(Frozen):
    """A sequential design: add seeds until the verdict on the primary metric is decided."""

    first: Annotated[int, Field(ge=2, le=MAX_SEEDS)] = 5
    """Seeds per condition before the first look."""
    most: Annotated[int, Field(ge=2, le=MAX_SEEDS)]
    """Most seeds per condition."""
    step: Annotated[int, Field(ge=1, le=MAX_SEEDS)] = 1
    """Seeds per condition between two looks."""


FIXED_SEEDS, SEQUENTIAL_SEEDS = "fixed seeds", "sequential seeds"
"""How errors tell the two forms of `seeds` apart; no part of a location in the file."""


def _form_of_seeds(value: Any) -> str:
    return SEQUENTIAL_SEEDS if isinstance(value, dict | SequentialSeeds) else FIXED_SEEDS


class Spec(Settings):
    """One experiment file: conditions to compare, and the seeds to train each with."""

    name: Name
    """Name of the spec, and of its condition if `conditions` is absent."""
    description: Annotated[str, StringConstraints(max_length=5000)] = ""
    """Purpose of the experiment; shown in MLflow."""
    experiment: Name | None = None
    """MLflow experiment of the runs. Default: MLFLOW_EXPERIMENT_NAME, else the name of the spec."""
    seeds: Annotated[
        Annotated[tuple[Seed, ...], Field(min_length=1, max_length=MAX_SEEDS), Tag(FIXED_SEEDS)]
        | Annotated[SequentialSeeds, Tag(SEQUENTIAL_SEEDS)],
        Discriminator(_form_of_seeds),
        BeforeValidator(
            _count_to_seeds,
            json_schema_input_type=Annotated[int, Field(ge=1, le=MAX_SEEDS)]
            | Annotated[list[Seed], Field(min_length=1, max_length=MAX_SEEDS)]
            | SequentialSeeds,
        ),
    ] = (0,)
    """Seeds per condition: a count (3 means 0, 1, 2), a list, or a sequential design (`first`, `most`)."""
    primary: FinalMetric = DEFAULT_PRIMARY
    """Metric of the verdict; all others are secondary."""
    margins: Margins = Margins()
    """Equivalence margins of single metrics."""
    conditions: Annotated[Mapping[Name, Settings], Field(max_length=100)] = {}
    """Conditions to compare, each with the settings that it changes."""
    claims: Annotated[tuple[ClaimSpec, ...], BeforeValidator(_list_to_tuple)] = ()
    """Claims stated before the runs and tested by `compare`."""
    _path: str = PrivateAttr("")
    _text: str = PrivateAttr("")

    @property
    def text(self) -> str:
        """The file that the spec was read from, before overrides; empty for a spec made in Python."""
        return self._text

    @property
    def path(self) -> str:
        """Path of that file; empty for a spec made in Python."""
        return self._path

    def with_source(self, path: str, text: str) -> Self:
        """Return a copy of the spec that was read from `path`, which contains `text`."""
        copy = self.model_copy()
        copy._path, copy._text = path, text
        return copy

    @property
    def all_seeds(self) -> tuple[int, ...]:
        """The seeds of each condition; of a sequential design, all that it may take."""
        if isinstance(self.seeds, SequentialSeeds):
            return tuple(range(self.seeds.most))
        return self.seeds


def flatten(settings: BaseModel) -> dict[str, str]:
    """Return every field of `settings` as ``{"model.dropout.conv1": "0.2", ...}``: as it is logged."""

    def leaves(prefix: str, value: Any) -> dict[str, str]:
        if isinstance(value, Mapping):
            return {k: v for key, part in value.items() for k, v in leaves(f"{prefix}.{key}", part).items()}
        if isinstance(value, list | tuple):
            return {prefix.lstrip("."): ",".join(map(str, value))}
        return {prefix.lstrip("."): "" if value is None else str(value)}

    return leaves("", settings.model_dump())
