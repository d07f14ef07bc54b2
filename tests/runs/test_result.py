"""Final metrics of a training."""

import numpy as np

from dropout_lab.runs.result import final_metrics
from dropout_lab.training.prediction import evaluate


def test_a_class_without_test_images_has_no_accuracy() -> None:
    probs = np.eye(10, dtype=np.float32)[[0, 1, 1]]
    evaluation = evaluate(probs, np.array([0, 1, 2], np.uint8))
    metrics = final_metrics(evaluation, evaluation, [])
    assert {name: value for name, value in metrics.items() if "class" in name} == {
        "test_accuracy_class_0": 1,
        "test_accuracy_class_1": 1,
        "test_accuracy_class_2": 0,
    }
    assert np.isfinite(list(metrics.values())).all()
