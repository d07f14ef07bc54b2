"""The search of a spec: fields to vary, how trials are chosen, and what they are measured by."""

import math
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, JsonValue, PlainValidator, Tag
from pydantic_core import PydanticCustomError

from dropout_lab.spec.base import Frozen, Seed, count_to_seeds, list_to_tuple

BASELINE, BEST = "baseline", "best"
"""Conditions of the confirmation: the settings of the spec, and those with the values of the best trial."""

FIRST_SEED = 1_000_000
"""First seed of the trials, far from the seeds that a spec counts from 0, on which the best is confirmed."""
DEFAULT_TRIALS = 20
MAX_TRIALS = 10_000
MAX_FIELDS = 20
MAX_VALUES = 100
MAX_SEEDS = 100

LISTED, RANGE = "listed values", "range of values"
"""How errors tell the two forms of a field's values apart; no part of a location in the file."""


def _check_number(value: Any) -> Any:
    """Accept a number with one message instead of a union's two."""
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return value
    raise PydanticCustomError("number", "a number")


def _check_step(value: Any) -> Any:
    if value is None or _check_number(value) > 0:
        return value
    raise PydanticCustomError("number", "a number above 0")


Number = Annotated[int | float, PlainValidator(_check_number, json_schema_input_type=int | float)]


class Range(Frozen):
    """Numbers from `low` to `high`, both included."""

    low: Number
    """Lowest value."""
    high: Number
    """Highest value."""
    step: Annotated[
        int | float | None,
        PlainValidator(
            _check_step,
            json_schema_input_type=Annotated[int, Field(gt=0)] | Annotated[float, Field(gt=0)] | None,
        ),
    ] = None
    """Distance between two values. Default: 1 for integers, none for other numbers."""
    log: bool = False
    """Whether values are chosen evenly on a logarithmic scale."""

    @property
    def is_integer(self) -> bool:
        """Whether it is written in integers."""
        return all(isinstance(value, int) for value in (self.low, self.high, self.step or 1))

    @property
    def count(self) -> float:
        """Number of values; infinite if they are not stepped."""
        if self.log or (self.step is None and not self.is_integer):
            return math.inf
        return math.floor((self.high - self.low) / (self.step or 1) + 1e-9) + 1

    @property
    def values(self) -> tuple[int | float, ...]:
        """All values of a range that is stepped."""
        step = self.step or 1
        values = (self.low + index * step for index in range(int(self.count)))
        return tuple(value if isinstance(value, int) else float(f"{value:.12g}") for value in values)


def _form_of_values(value: Any) -> str:
    return LISTED if isinstance(value, list | tuple) else RANGE


Values = Annotated[
    Annotated[
        tuple[JsonValue, ...],
        Field(min_length=2, max_length=MAX_VALUES),
        BeforeValidator(list_to_tuple),
        Tag(LISTED),
    ]
    | Annotated[Range, Tag(RANGE)],
    Discriminator(_form_of_values),
]
"""Values of a field: a list to choose from, or a range."""


class SearchSpec(Frozen):
    """Search for the values of fields with the best validation metric; the best trial is then confirmed."""

    space: Annotated[Mapping[str, Values], Field(min_length=1, max_length=MAX_FIELDS)]
    """Fields to vary, such as `training.learning_rate: {low: 1e-4, high: 1e-2, log: true}` or
    `model.dropout.dense: [0, 0.25, 0.5]`."""
    objective: Literal["val_accuracy", "val_loss"] = "val_accuracy"
    """Validation metric of the final weights: the highest accuracy, or the lowest loss."""
    trials: Annotated[int, Field(ge=1, le=MAX_TRIALS)] | None = None
    """Number of trials, pruned and failed ones included. Default: 20; with `grid`, all combinations."""
    seeds: Annotated[
        tuple[Seed, ...],
        Field(min_length=1, max_length=MAX_SEEDS),
        BeforeValidator(
            partial(count_to_seeds, most=MAX_SEEDS, first=FIRST_SEED),
            json_schema_input_type=Annotated[int, Field(ge=1, le=MAX_SEEDS)]
            | Annotated[list[Seed], Field(min_length=1, max_length=MAX_SEEDS)],
        ),
    ] = (FIRST_SEED, FIRST_SEED + 1)
    """Seeds of each trial, the same for all: a count (2 means 1000000, 1000001) or a list. A trial is as good
    as their mean. None may be among `seeds` of the spec, which confirm the best trial."""
    sampler: Literal["tpe", "random", "grid"] = "tpe"
    """How values are chosen: `tpe` (tree-structured Parzen estimator), `random`, or `grid` (all
    combinations)."""
    sampler_seed: Seed = 0
    """Seed of these choices."""
    pruner: Literal["median", "hyperband", "none"] = "median"
    """How trials are ended early: `median` (worse than half of the others after the same epoch),
    `hyperband`, or `none`."""

    @property
    def num_combinations(self) -> float:
        """Number of combinations of all values; infinite if a field has a continuous range."""
        return math.prod(
            values.count if isinstance(values, Range) else len(values) for values in self.space.values()
        )

    @property
    def num_trials(self) -> int:
        """Number of trials."""
        if self.sampler == "grid":
            return int(min(self.num_combinations, self.trials or math.inf))
        return self.trials or DEFAULT_TRIALS
