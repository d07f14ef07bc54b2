"""What cannot be measured on a dataset is refused before anything is trained."""

import numpy as np
import pytest

from dropout_lab.data.selection import load_data
from dropout_lab.errors import DataError, UsageError
from dropout_lab.runs.evaluation_checks import check_evaluation
from dropout_lab.spec import DataSpec
from dropout_lab.spec.evaluation import EvaluationSpec

EVERYTHING = EvaluationSpec(shift="all", ood="all", pooling=True)


@pytest.fixture(scope="module")
def fashion():
    return load_data(DataSpec(num_train=20, num_test=10))


@pytest.fixture(scope="module")
def digits():
    return load_data(DataSpec(dataset="digits"))


def test_images_of_other_classes_take_everything(fashion):
    check_evaluation(EVERYTHING, fashion)
    check_evaluation(None, fashion)


def test_digits_are_in_the_distribution_of_digits(digits):
    check_evaluation(EVERYTHING, digits)  # the other sets remain
    with pytest.raises(UsageError, match="digits has the classes of the dataset digits"):
        check_evaluation(EvaluationSpec(ood="digits"), digits)


@pytest.mark.parametrize("asked", [{"shift": "noise"}, {"ood": ["uniform"]}])
def test_tables_have_no_shifts(tmp_path, asked):
    table = tmp_path / "table.npz"
    inputs, labels = np.random.default_rng(0).normal(size=(40, 6)), np.arange(40) % 2
    np.savez(table, x_train=inputs, y_train=labels, x_test=inputs + 1, y_test=labels)
    data = load_data(DataSpec(dataset=str(table)))
    check_evaluation(EvaluationSpec(pooling=True), data)
    with pytest.raises(
        DataError, match=rf"evaluation.{next(iter(asked))}: inputs of shape \(6,\) are no images"
    ):
        check_evaluation(EvaluationSpec(**asked), data)
