"""The parts of an evaluation: what each measures of a trained network, for which metrics and files.

A new part is one function and one entry of `PARTS`. Its metrics are entries of `evaluation.registry`.
"""

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from dropout_lab.errors import TrainingError, UsageError
from dropout_lab.evaluation.measured_parts import Settings, covers, names_of, read_parts, write_parts
from dropout_lab.evaluation.measures import measure, measure_all
from dropout_lab.evaluation.registry import EVALUATED_MEASURES
from dropout_lab.evaluation.robustness import SET_NAMES, SHIFT_NAMES
from dropout_lab.evaluation.temperature import fit_temperature, scale_by_temperature
from dropout_lab.runs.evaluation_artifacts import draw_evaluation
from dropout_lab.spec.evaluation import EvaluationSpec
from dropout_lab.tracking import schema

if TYPE_CHECKING:
    from dropout_lab.training.trained import TrainedNetwork


@dataclass(frozen=True)
class PartResult:
    """What one part measured.

    Attributes:
        metrics: Metrics by name.
        arrays: Results per example by name, kept in one file of the run; numbers in half precision suffice.
        notes: What the user should know.
    """

    metrics: Mapping[str, float] = field(default_factory=dict)
    arrays: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    """One part of an evaluation.

    Attributes:
        name: Name in tags, and of the file of its results per example.
        settings: What its result depends on besides the run; None if it is not asked for. A run that was
            evaluated with these settings is not evaluated again.
        measure: Measures a trained network.
    """

    name: str
    settings: Callable[[EvaluationSpec], Settings | None]
    measure: Callable[["TrainedNetwork", EvaluationSpec], PartResult]


@dataclass(frozen=True)
class Measurements:
    """What the parts of an evaluation measured of one run.

    Attributes:
        metrics: Metrics by name.
        files: Content of artifacts, by path in the run.
        tags: Tags that say which parts the run has.
        notes: What the user should know.
    """

    metrics: Mapping[str, float] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()


def missing_parts(spec: EvaluationSpec, evaluated: str, *, force: bool = False) -> list[Part]:
    """Return the parts that `spec` asks for and a run does not have, or has only for some of the names.

    Args:
        spec: What to measure.
        evaluated: Parts that the run has, as `RunFacts.evaluated`.
        force: Whether parts that it has count as missing.
    """
    done = read_parts(evaluated)
    wanted = [(part, part.settings(spec)) for part in PARTS]
    return [
        part
        for part, settings in wanted
        if settings is not None and (force or not covers(done.get(part.name), settings))
    ]


def evaluate_parts(
    trained: "TrainedNetwork", spec: EvaluationSpec, parts: Iterable[Part] | None = None, evaluated: str = ""
) -> Measurements:
    """Measure a trained network.

    A part that is measured for further names is measured for those that the run has, too: so all metrics of
    a part come from one measurement, and its means and plots are of all names.

    Args:
        trained: The network with its data.
        spec: What to measure.
        parts: Parts to measure. [default: all that `spec` asks for]
        evaluated: Parts that the run has already, as `RunFacts.evaluated`.

    Raises:
        TrainingError: If a result is not finite.
    """
    parts = list(missing_parts(spec, "") if parts is None else parts)
    done = read_parts(evaluated)
    spec = _with_names(spec, parts, done)
    metrics: dict[str, float] = {}
    files: dict[str, bytes] = {}
    notes: list[str] = []
    arrays: dict[str, Mapping[str, npt.NDArray[Any]]] = {}
    for part in parts:
        result = part.measure(trained, spec)
        if not np.isfinite(list(result.metrics.values())).all():
            raise TrainingError(f"The results of {part.name} are not finite.")
        metrics |= result.metrics
        notes += result.notes
        if result.arrays:
            arrays[part.name] = result.arrays
            files[schema.predictions(part.name)] = _compressed(result.arrays)
        done[part.name] = part.settings(spec) or {}
    try:
        files |= draw_evaluation(trained, spec.mc_samples, metrics, arrays)
    except Exception as error:
        notes.append(f"Its plots could not be drawn ({error}).")
    tags = {schema.EVALUATED: write_parts(done)}
    return Measurements(metrics, files, tags, notes)


def _compressed(arrays: Mapping[str, npt.NDArray[Any]]) -> bytes:
    content = io.BytesIO()
    named: dict[str, Any] = dict(arrays)
    np.savez_compressed(content, **named)
    return content.getvalue()


def _with_names(spec: EvaluationSpec, parts: Iterable[Part], done: Mapping[str, Settings]) -> EvaluationSpec:
    """Return `spec` with the names, too, that `parts` were measured for before."""
    names = {
        key: (*wanted, *(name for name in names_of(done.get(part.name), key) if name in allowed))
        for part in parts
        for key, wanted, allowed in (("shift", spec.shift, SHIFT_NAMES), ("ood", spec.ood, SET_NAMES))
        if key in (part.settings(spec) or {})
    }
    return EvaluationSpec.model_validate(spec.model_dump() | names)


def _confidence(trained: "TrainedNetwork", _spec: EvaluationSpec) -> PartResult:
    measures = measure(trained.test_probs, trained.data.test_labels, EVALUATED_MEASURES)
    return PartResult({f"test_{name}": value for name, value in measures.items()})


def _monte_carlo(trained: "TrainedNetwork", spec: EvaluationSpec) -> PartResult:
    found = trained.test_monte_carlo(spec.mc_samples)
    measures = measure_all(found.probs, trained.data.test_labels)
    measures["mutual_information"] = float(np.mean(found.mutual_information))
    arrays = {
        "probs": found.probs.astype(np.float16),
        "entropy": found.entropy.astype(np.float16),
        "mutual_information": found.mutual_information.astype(np.float16),
        "labels": trained.data.test_labels,
    }
    return PartResult({f"mc_{name}": value for name, value in measures.items()}, arrays)


def _temperature(trained: "TrainedNetwork", _spec: EvaluationSpec) -> PartResult:
    if trained.validation_probs is None:
        note = "no temperature scaling: the validation set is the test set (data.validation: test)."
        return PartResult(notes=(note,))
    temperature = fit_temperature(trained.validation_probs, trained.data.validation_labels)
    probs = scale_by_temperature(trained.test_probs, temperature)
    measures = measure(probs, trained.data.test_labels, ("loss", "brier", "ece", "ece_equal_mass"))
    scaled = {f"temperature_{name}": value for name, value in measures.items()}
    return PartResult({"temperature": temperature, **scaled})


def _weighted_pooling(trained: "TrainedNetwork", _spec: EvaluationSpec) -> PartResult:
    try:
        probs = trained.weighted_pooling_probs(trained.data.test_inputs)
    except UsageError as error:
        return PartResult(notes=(error.message,))
    measures = measure(probs, trained.data.test_labels)
    return PartResult({f"pwp_{name}": value for name, value in measures.items()})


def _shift(trained: "TrainedNetwork", spec: EvaluationSpec) -> PartResult:
    from dropout_lab.training.robustness import shift_metrics

    data = trained.data
    return PartResult(shift_metrics(trained.probs, data.test_inputs, data.test_labels, spec.shift))


def _out_of_distribution(trained: "TrainedNetwork", spec: EvaluationSpec) -> PartResult:
    from dropout_lab.training.robustness import detect

    metrics, entropies, notes = detect(trained, spec.ood, spec.mc_samples)
    return PartResult(metrics, entropies, notes)


PARTS: tuple[Part, ...] = (
    Part("confidence", lambda _: {}, _confidence),
    Part("monte_carlo", lambda spec: {"mc_samples": spec.mc_samples}, _monte_carlo),
    Part("temperature", lambda _: {}, _temperature),
    Part("weighted_pooling", lambda spec: {} if spec.pooling else None, _weighted_pooling),
    Part("shift", lambda spec: {"shift": list(spec.shift)} if spec.shift else None, _shift),
    Part(
        "out_of_distribution",
        lambda spec: {"ood": list(spec.ood), "mc_samples": spec.mc_samples} if spec.ood else None,
        _out_of_distribution,
    ),
)
"""All parts, in the order in which they are measured."""
