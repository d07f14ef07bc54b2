"""What a training gave: its final metrics, and the files that a later command uploads."""

import json

import numpy as np

from dropout_lab.evaluation.registry import FINAL_METRICS
from dropout_lab.records import DropoutCheck, EpochMetrics
from dropout_lab.runs.result import ARTIFACTS, SUMMARY, Result, draw_plots, final_metrics, read_result
from dropout_lab.training.prediction import evaluate

EPOCH = EpochMetrics(
    epoch=1, loss=1.0, accuracy=0.5, val_loss=1.1, val_accuracy=0.4, epoch_seconds=2.0, end_time_ms=0
)


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


def test_a_result_that_an_earlier_version_left_can_be_uploaded(tmp_path) -> None:
    evaluation = evaluate(np.eye(2, dtype=np.float32), np.array([0, 1], np.uint8))
    example = np.ones((2, 3), np.float32)
    shapes = (None, 3), (None, 2)
    result = Result(
        metrics={}, tags={}, epochs=(EPOCH,), class_names=("a", "b"), input_example=example,
        model_shapes=shapes,
    )  # fmt: skip
    for name, content in result.files(evaluation, evaluation, np.array([0, 1])).items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    assert read_result(tmp_path).class_names == ("a", "b")
    assert read_result(tmp_path).model_shapes == shapes
    summary = json.loads((tmp_path / SUMMARY).read_text())
    del summary["class_names"], summary["model_shapes"]
    (tmp_path / SUMMARY).write_text(json.dumps(summary | {"input_example": example.tolist()}))
    early = read_result(tmp_path)
    assert early.class_names == ()
    assert early.model_shapes == ()
    np.testing.assert_array_equal(early.input_example, example)
    draw_plots(tmp_path, early)
    assert (tmp_path / ARTIFACTS / "plots" / "confusion_matrix.png").exists()
