"""What is measured of trained networks besides the usual metrics."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from dropout_lab.evaluation.robustness import SET_NAMES, SHIFT_NAMES, SetName, ShiftName
from dropout_lab.spec.base import Frozen

ALL = "all"


def _chosen_from(names: Sequence[str]) -> Callable[[Any], Any]:
    """Return a function that turns one name, some or `ALL` into names in their order, each once."""

    def chosen(value: Any) -> Any:
        given = [value] if isinstance(value, str) else value
        if not isinstance(given, list | tuple) or not all(isinstance(one, str) for one in given):
            return value
        unknown = [one for one in given if one not in (*names, ALL)]
        return (*(name for name in names if name in given or ALL in given), *unknown)

    return chosen


class EvaluationSpec(Frozen):
    """Evaluation of confidence after training; it changes no weight."""

    mc_samples: Annotated[int, Field(ge=2, le=10_000)] = 50
    """Predictions of each test example with dropout on (Monte Carlo dropout)."""
    shift: Annotated[
        tuple[ShiftName, ...],
        BeforeValidator(
            _chosen_from(SHIFT_NAMES),
            json_schema_input_type=Literal["all"] | ShiftName | tuple[ShiftName, ...],
        ),
    ] = ()
    """Ways to change the test images, at five severities each, or `all`: noise, blur, lower contrast,
    translation and rotation."""
    ood: Annotated[
        tuple[SetName, ...],
        BeforeValidator(
            _chosen_from(SET_NAMES), json_schema_input_type=Literal["all"] | SetName | tuple[SetName, ...]
        ),
    ] = ()
    """Inputs from outside the distribution to detect, or `all`: scikit-learn's digits, uniform noise, and the
    test images inverted or with shuffled pixels."""
    pooling: bool = False
    """Whether to predict with probabilistic weighted pooling too, where standard dropout comes right before
    max-pooling."""

    @property
    def options(self) -> str:
        """Options of ``dropout-lab evaluate`` that ask for the same."""
        words = []
        if self.mc_samples != type(self).model_fields["mc_samples"].default:
            words.append(f"--mc-samples {self.mc_samples}")
        for option, names, every in (("--shift", self.shift, SHIFT_NAMES), ("--ood", self.ood, SET_NAMES)):
            words += [f"{option} {name}" for name in ((ALL,) if names == every else names)]
        return " ".join([*words, *(["--pooling"] if self.pooling else [])])
