"""A spec file as a frozen pydantic model: its design, conditions and claims beside the settings.

The top level of a file holds the settings that all conditions share; ``conditions`` holds what each changes.
"""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    StringConstraints,
    Tag,
    ValidationInfo,
    create_model,
    model_validator,
)

from dropout_lab.design import DEFAULT_PRIMARY
from dropout_lab.evaluation.registry import COMPARED_METRICS, METRICS
from dropout_lab.spec.base import Frozen, Seed, count_to_seeds, list_to_tuple
from dropout_lab.spec.evaluation import EvaluationSpec
from dropout_lab.spec.grid import MAX_CONDITIONS
from dropout_lab.spec.search import BASELINE, BEST, SearchSpec
from dropout_lab.spec.settings import Settings

MAX_SEEDS = 1000

Name = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=100, pattern=r"^[A-Za-z0-9]([A-Za-z0-9 ._+-]*[A-Za-z0-9._+-])?$"
    ),
]
"""A name that is safe in file names, in MLflow and on a terminal."""


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


def _margin_field(name: str) -> tuple[Any, Any]:
    """Return type and field of the margin of a metric, described from the registry."""
    metric = METRICS[name]
    default = "No default." if metric.margin is None else f"Default {metric.margin:g}."
    return Annotated[float, Field(gt=0)] | None, Field(None, description=f"{metric.definition} {default}")


if TYPE_CHECKING:  # types that follow the registry at run time are strange to type checkers
    FinalMetric = str
    Margins = Frozen
else:
    FinalMetric = Literal[COMPARED_METRICS]
    Margins = create_model(
        "Margins",
        __base__=Frozen,
        __doc__="Largest difference that counts as equivalent, as a fraction; "
        "other metrics keep their defaults.",
        **{name: _margin_field(name) for name in COMPARED_METRICS},
    )


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
    """One experiment file: conditions to compare, and the seeds to train each with.

    In Python, the keys of the file are keywords, with the same checks:
    ``Spec(name="rates", seeds=5, conditions={"none": {"model": {"dropout": 0}}, ...})``.

    Raises:
        SpecError: If a value is invalid; the message lists all problems.
    """

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
            partial(count_to_seeds, most=MAX_SEEDS),
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
    evaluation: EvaluationSpec | None = None
    """What is measured of each trained network besides the usual metrics; `{}` measures the default."""
    conditions: Annotated[Mapping[Name, Settings], Field(max_length=MAX_CONDITIONS)] = {}
    """Conditions to compare, each with the settings that it changes."""
    grid: Annotated[Mapping[str, list[Any] | Mapping[str, list[Any]]], Field(min_length=1)] | None = None
    """Fields to vary, such as `training.epochs: [5, 10]`; fields under `zip` take their values together.
    Each combination becomes one of the `conditions`."""
    search: SearchSpec | None = None
    """Search for the best values of fields. The best trial becomes the condition `best`, and is compared with
    the settings of the spec, the condition `baseline`, on `seeds`."""
    claims: Annotated[tuple[ClaimSpec, ...], BeforeValidator(list_to_tuple)] = ()
    """Claims stated before the runs and tested by `compare`."""
    _path: str = PrivateAttr("")
    _text: str = PrivateAttr("")

    if TYPE_CHECKING:  # plain mappings are as good as models

        def __init__(self, **settings: Any) -> None: ...

    @model_validator(mode="wrap")
    @classmethod
    def _checked(cls, data: Any, validate: ModelWrapValidatorHandler[Self], info: ValidationInfo) -> Self:
        from dropout_lab.spec.building import build_spec  # not above: it needs this class

        return build_spec(data, validate, info.context)

    def to_yaml(self) -> str:
        """Return the spec as YAML, with the keys that were set."""
        from dropout_lab.spec.building import plain, to_yaml

        keys = [*type(self).model_fields]
        shared = [*Settings.model_fields]
        own = [key for key in keys if key not in (*shared, "conditions", "claims")]
        values = plain(self)
        return to_yaml({key: values[key] for key in (*own, *shared, "conditions", "claims") if key in values})

    @property
    def text(self) -> str:
        """The file that the spec was read from, before overrides; of a spec made in Python, its YAML."""
        return self._text or self.to_yaml()

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
    def condition_names(self) -> tuple[str, ...]:
        """Names of the conditions that are compared."""
        if self.search is not None:
            return BASELINE, BEST
        return tuple(self.conditions) or (self.name,)

    @property
    def all_seeds(self) -> tuple[int, ...]:
        """The seeds of each condition; of a sequential design, all that it may take."""
        if isinstance(self.seeds, SequentialSeeds):
            return tuple(range(self.seeds.most))
        return self.seeds
