"""A finished training on disk, in the form in which the tracking store gets it, now or when it is back."""

import io
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dropout_lab.files import move_durably, write_atomically
from dropout_lab.learning.data import CLASS_NAMES
from dropout_lab.learning.session import Session
from dropout_lab.plotting import draw_run
from dropout_lab.records import DropoutCheck, EpochMetrics, Evaluation

EVALUATION_FIGURES = ("loss", "accuracy", "brier", "ece")


@dataclass(frozen=True)
class ResultFolder:
    """What one training gave: final metrics, tags, artifacts and the model."""

    path: Path

    @property
    def artifacts(self) -> Path:
        """The files that go to the tracking store as they are."""
        return self.path / "artifacts"

    @property
    def model(self) -> Path:
        """The trained model as a ``.keras`` file."""
        return self.path / "model.keras"

    def exists(self) -> bool:
        """Return whether the training was finished and its result is whole."""
        return self.path.exists()

    def fill(
        self,
        run_id: str,
        session: Session,
        epochs: Sequence[EpochMetrics],
        metrics: Mapping[str, float],
        train: Evaluation,
        test: Evaluation,
    ) -> None:
        """Write everything aside, then put it in place at once. Raises OSError if it cannot be written."""
        aside = ResultFolder(self.path.with_suffix(".part"))
        shutil.rmtree(aside.path, ignore_errors=True)
        probs = io.BytesIO()
        # Half precision is enough to pair models by example, and a quarter of the space.
        np.savez_compressed(probs, probs=test.probs.astype(np.float16), labels=session.test_labels)
        figures = {"train": _figures(train), "test": _figures(test)}
        artifacts = {
            **draw_run(epochs, test, CLASS_NAMES),
            "evaluation.json": json.dumps(figures, indent=1).encode(),
            "predictions/test_probs.npz": probs.getvalue(),
        }
        content = {
            "run_id": run_id,
            "metrics": dict(metrics),
            "tags": {"dropout_lab.final_weights": session.weights_fingerprint()},
            "epochs": [asdict(epoch) for epoch in epochs],
            "input_example": session.input_example().tolist(),
        }
        for name, data in artifacts.items():
            path = aside.artifacts / name
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, data)
        session.save_model(aside.model)
        write_atomically(aside.path / "result.json", json.dumps(content).encode())
        move_durably(aside.path, self.path)

    def read(self) -> dict[str, Any]:
        """Return the run id, metrics, tags, epochs and input example that `fill` kept."""
        content: dict[str, Any] = json.loads((self.path / "result.json").read_text())
        content["epochs"] = [EpochMetrics(**epoch) for epoch in content["epochs"]]
        content["input_example"] = np.array(content["input_example"], dtype=np.float32)
        return content


def final_metrics(train: Evaluation, test: Evaluation, checks: Sequence[DropoutCheck]) -> dict[str, float]:
    """Return the final metrics by name: the figures with dropout off, and the measured dropout."""
    figures = {
        f"{part}_{name}": float(getattr(evaluation, name))
        for part, evaluation in {"train": train, "test": test}.items()
        for name in EVALUATION_FIGURES
    }
    return {
        **figures,
        "generalization_gap": train.accuracy - test.accuracy,
        "loss_gap": test.loss - train.loss,
        **{f"test_accuracy_class_{label}": value for label, value in test.per_class_accuracy.items()},
        **{f"dropped_fraction_{check.layer}": check.dropped_fraction for check in checks},
    }


def _figures(evaluation: Evaluation) -> dict[str, object]:
    return {
        **{name: getattr(evaluation, name) for name in EVALUATION_FIGURES},
        "per_class_accuracy": dict(evaluation.per_class_accuracy),
        "confusion_matrix": evaluation.confusion_matrix.tolist(),
    }
