import numpy as np
import pytest

from dropout_lab.plotting.confusion import confusion_data, draw_confusion
from dropout_lab.records import Evaluation


def evaluation(counts: list[list[int]]) -> Evaluation:
    matrix = np.array(counts)
    return Evaluation(
        measures={"accuracy": float(np.trace(matrix) / matrix.sum())}, per_class_accuracy={},
        confusion_matrix=matrix, probs=np.zeros((0, len(counts)), dtype=np.float32),
    )  # fmt: skip


def test_shares_are_of_the_true_class():
    data = confusion_data(evaluation([[8, 2], [1, 3]]), ["shirt", "coat"])
    np.testing.assert_allclose(data.shares, [[8 / 10, 2 / 10], [1 / 4, 3 / 4]])
    assert data.accuracy == (8 + 3) / (8 + 2 + 1 + 3)


def test_a_class_without_examples_has_no_shares():
    data = confusion_data(evaluation([[5, 0], [0, 0]]), ["shirt", "coat"])
    np.testing.assert_array_equal(data.shares, [[1, 0], [0, 0]])


def test_the_names_must_be_as_many_as_the_classes():
    with pytest.raises(ValueError, match="each of 2 classes, received 1"):
        confusion_data(evaluation([[1, 0], [0, 1]]), ["shirt"])


def test_cells_show_their_counts_and_axes_their_classes():
    axes = draw_confusion(confusion_data(evaluation([[8, 2], [0, 3]]), ["shirt", "coat"])).axes[0]
    assert [(text.get_position(), text.get_text()) for text in axes.texts] == [
        ((0, 0), "8"), ((1, 0), "2"), ((1, 1), "3"),
    ]  # fmt: skip
    assert [label.get_text() for label in axes.get_yticklabels()] == ["shirt", "coat"]
