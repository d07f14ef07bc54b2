"""Final metrics of a training."""

import numpy as np

from dropout_lab.evaluation.registry import FINAL_METRICS
from dropout_lab.records import DropoutCheck
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


def test_final_metrics_are_those_of_the_registry() -> None:
    probs = np.eye(10, dtype=np.float32)[[0, 1, 1]]
    train = evaluate(probs, np.array([0, 1, 1], np.uint8))
    test = evaluate(probs, np.array([0, 1, 2], np.uint8))
    check = DropoutCheck(layer="conv1", rate=0.2, dropped_fraction=0.21, num_examined=100)
    metrics = final_metrics(train, test, [check])
    classes = {f"test_accuracy_class_{label}" for label in range(3)}
    assert metrics.keys() == {*FINAL_METRICS, *classes, "dropped_fraction_conv1"}
    assert metrics["generalization_gap"] == metrics["train_accuracy"] - metrics["test_accuracy"]
    assert metrics["loss_gap"] == metrics["test_loss"] - metrics["train_loss"]
