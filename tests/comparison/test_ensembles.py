"""An ensemble is the mean of its members' probabilities."""

from collections.abc import Callable

import numpy as np
import pytest

from dropout_lab.comparison.ensembles import form_ensemble, form_ensembles
from dropout_lab.records import RunRecord

LABELS = np.array([0, 1, 1], dtype=np.uint8)
FIRST = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]], dtype=np.float32)
SECOND = np.array([[0.4, 0.6], [0.1, 0.9], [0.2, 0.8]], dtype=np.float32)


def test_an_ensemble_averages_probabilities() -> None:
    found = form_ensemble("dropout", [FIRST, SECOND], LABELS)
    # Averaged: 0.65 for class 0, 0.65 and 0.8 for class 1: all right.
    assert found.accuracy == 1.0
    assert found.mean_accuracy == pytest.approx(2 / 3)
    assert found.loss == pytest.approx(-np.mean(np.log([0.65, 0.65, 0.8])))
    assert found.mean_loss == pytest.approx(-np.mean(np.log([0.9, 0.4, 0.8, 0.4, 0.9, 0.8])))
    # 0.65 twice in one bin, both right; 0.8 right: |1.3 - 2| + |0.8 - 1| over 3 examples.
    assert found.ece == pytest.approx((0.7 + 0.2) / 3)
    assert found.sentence.startswith("dropout, ensemble of 2 seeds: test accuracy 100.00% (mean of single")


def test_only_conditions_with_several_predictions_of_one_test_set_form_one(
    make_run: Callable[..., RunRecord],
) -> None:
    runs = [make_run(name, seed) for name in ("a", "b", "c") for seed in (0, 1)]
    predictions = {run.run_id: (FIRST, LABELS) for run in runs if run.condition != "b" or run.seed == 0}
    predictions[runs[-1].run_id] = (FIRST, LABELS[::-1])
    assert [one.condition for one in form_ensembles(runs, predictions)] == ["a"]
