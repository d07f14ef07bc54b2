"""What one training gave, as files: metrics, tags, epochs and artifacts, for upload now or later."""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from dropout_lab.data.dataset import Inputs
from dropout_lab.evaluation.registry import CLASS_ACCURACY, DROPPED_FRACTION, MEASURES, METRICS
from dropout_lab.records import DropoutCheck, EpochMetrics, Evaluation
from dropout_lab.tracking import schema
from dropout_lab.tracking.models import Shape

SUMMARY = "result.json"
ARTIFACTS = "artifacts"
MODEL = "model.keras"
_EXAMPLE = "input_example.npy"
_EVALUATION = f"{ARTIFACTS}/{schema.EVALUATION}"
_PROBS = f"{ARTIFACTS}/{schema.TEST_PROBS}"


@dataclass(frozen=True, kw_only=True)
class Result:
    """The small part of a result; its artifacts and its model are files beside it.

    Attributes:
        metrics: Final metrics by name.
        tags: Tags known only after training.
        epochs: All epochs, in order.
        class_names: Name of each class, by class number.
        input_example: Two test examples in the form that the model takes.
        input_form: The form of the model's inputs, see `data.input_form`.
        model_shapes: Shapes of the model's inputs and outputs, batch first; None where any size fits. Empty
            in a result of an earlier version.
    """

    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    epochs: tuple[EpochMetrics, ...]
    class_names: tuple[str, ...]
    input_example: Inputs
    input_form: Mapping[str, Any] = field(default_factory=dict)
    model_shapes: tuple[Shape, ...] = ()

    @property
    def model_texts(self) -> dict[str, str]:
        """Files of the logged model, by name."""
        return {schema.INPUT_FORM: json.dumps(self.input_form)} if self.input_form else {}

    def files(self, train: Evaluation, test: Evaluation, test_labels: np.ndarray) -> dict[str, bytes]:
        """Return the content of all files but the model, by path.

        Args:
            train, test: Metrics on the training set and on the test set, dropout off.
            test_labels: (num_test,) class numbers.
        """
        summary = asdict(self)
        example, probs = io.BytesIO(), io.BytesIO()
        np.save(example, summary.pop("input_example"))
        # Half precision is enough to pair models by example, and a quarter of the space.
        np.savez_compressed(probs, probs=test.probs.astype(np.float16), labels=test_labels)
        evaluations = {"train": _to_json(train), "test": _to_json(test)}
        return {
            SUMMARY: json.dumps(summary).encode(),
            _EXAMPLE: example.getvalue(),
            _EVALUATION: json.dumps(evaluations, indent=1).encode(),
            _PROBS: probs.getvalue(),
        }


def read_result(folder: Path) -> Result:
    """Return the result whose files are in `folder`."""
    content = json.loads((folder / SUMMARY).read_bytes())
    content["epochs"] = tuple(EpochMetrics(**epoch) for epoch in content["epochs"])
    content["class_names"] = tuple(content.get("class_names", ()))
    content["model_shapes"] = tuple(map(tuple, content.get("model_shapes", ())))
    if "input_example" in content:  # a result of an earlier version
        content["input_example"] = np.array(content["input_example"], dtype=np.float32)
    else:
        content["input_example"] = np.load(folder / _EXAMPLE, allow_pickle=False)
    return Result(**content)


def draw_plots(folder: Path, result: Result) -> None:
    """Add the plots of a run to the artifacts of its `result` in `folder`. Drawing may raise anything."""
    from dropout_lab.plotting import draw_run

    content = json.loads((folder / _EVALUATION).read_bytes())["test"]
    with np.load(folder / _PROBS, allow_pickle=False) as arrays:
        content["probs"] = arrays["probs"].astype(np.float32)
    content["measures"] = {name: content.pop(name) for name in MEASURES if name in content}
    by_class = content["per_class_accuracy"]
    content["per_class_accuracy"] = {int(label): value for label, value in by_class.items()}
    content["confusion_matrix"] = np.array(content["confusion_matrix"])
    class_names = result.class_names or tuple(map(str, range(len(content["confusion_matrix"]))))
    for name, data in draw_run(result.epochs, Evaluation(**content), class_names).items():
        path = folder / ARTIFACTS / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def final_metrics(train: Evaluation, test: Evaluation, checks: Sequence[DropoutCheck]) -> dict[str, float]:
    """Return the final metrics by name: those measured with dropout off, and the measured dropout."""
    measured = {
        f"{part}_{name}": value
        for part, evaluation in {"train": train, "test": test}.items()
        for name, value in evaluation.measures.items()
    }
    sites = schema.allowed_names(check.layer for check in checks)
    gaps = {name: metric.gap_of for name, metric in METRICS.items() if metric.gap_of}
    return {
        **measured,
        **{name: measured[one] - measured[other] for name, (one, other) in gaps.items()},
        **{CLASS_ACCURACY.name(label): value for label, value in test.per_class_accuracy.items()},
        **{DROPPED_FRACTION.name(sites[check.layer]): check.dropped_fraction for check in checks},
    }


def _to_json(evaluation: Evaluation) -> dict[str, object]:
    return {
        **evaluation.measures,
        "per_class_accuracy": dict(evaluation.per_class_accuracy),
        "confusion_matrix": evaluation.confusion_matrix.tolist(),
    }
