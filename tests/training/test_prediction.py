"""Final figures, on numbers small enough to compute by hand."""

import math

import numpy as np
import pytest

from dropout_lab.data.dataset import Dataset
from dropout_lab.errors import TrainingError
from dropout_lab.models.published import build_model
from dropout_lab.spec import ModelSpec
from dropout_lab.training.prediction import Predictor, evaluate, expected_calibration_error


def _probs(*rows: dict[int, float]) -> np.ndarray:
    probs = np.zeros((len(rows), 10), np.float32)
    for row, values in zip(probs, rows, strict=True):
        for label, prob in values.items():
            row[label] = prob
    return probs


PROBS = _probs({0: 0.5, 1: 0.5}, {1: 0.75, 2: 0.25}, {2: 0.25, 3: 0.75}, {3: 1.0})
LABELS = np.array([0, 1, 2, 3], np.uint8)


def test_figures_by_hand() -> None:
    figures = evaluate(PROBS, LABELS)
    assert figures.accuracy == 3 / 4
    assert figures.loss == pytest.approx(-(math.log(0.5) + math.log(0.75) + math.log(0.25) + math.log(1)) / 4)
    assert figures.brier == pytest.approx(((0.25 + 0.25) + (0.0625 + 0.0625) + (0.5625 + 0.5625) + 0) / 4)
    assert figures.per_class_accuracy == {0: 1, 1: 1, 2: 0, 3: 1}
    assert figures.confusion_matrix[2, 3] == 1
    assert figures.confusion_matrix.sum() == 4


def test_calibration_error_weighs_bins_by_their_size() -> None:
    # Confidences 0.5 | 0.75, 0.75 | 1 fall in three of the 15 bins, with accuracies 1 | 1/2 | 1.
    expected = (1 * abs(0.5 - 1) + 2 * abs(0.75 - 1 / 2) + 1 * abs(1 - 1)) / 4
    assert expected_calibration_error(PROBS, LABELS) == pytest.approx(expected)


def test_a_calibrated_model_has_no_calibration_error() -> None:
    probs = _probs(*[{0: 0.75, 1: 0.25}] * 4)
    assert expected_calibration_error(probs, np.array([0, 0, 0, 1], np.uint8)) == pytest.approx(0)


def test_probs_that_are_not_finite_are_an_error() -> None:
    with pytest.raises(TrainingError, match="finite"):
        evaluate(np.full((1, 10), np.nan, np.float32), np.zeros(1, np.uint8))


def test_prediction_does_not_depend_on_how_it_is_batched(dataset: Dataset) -> None:
    images = np.random.default_rng(0).integers(0, 256, (1003, 28, 28, 1)).astype(np.uint8)
    predictor = Predictor(build_model(ModelSpec(filters=(2, 2), hidden_units=4), 0), dataset)
    probs = predictor.probs(images)
    assert probs.shape == (1003, 10)
    np.testing.assert_allclose(probs[1000:], predictor.probs(images[1000:]), rtol=1e-5)
