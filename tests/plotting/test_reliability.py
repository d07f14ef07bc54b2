import numpy as np
import pytest

from dropout_lab.plotting.reliability import (
    MIN_IMAGES,
    describe,
    draw_reliability,
    named_curves,
    reliability_curves,
)


def two_class(confidences: list[float], right: list[bool]) -> tuple[np.ndarray, np.ndarray]:
    """Predictions of class 0 with these confidences; the label says which are right."""
    probs = np.array([[c, 1 - c] for c in confidences], dtype=np.float32)
    return probs, np.array([0 if hit else 1 for hit in right], dtype=np.uint8)


def test_bins_hold_mean_confidence_accuracy_and_share(make_run):
    run = make_run("baseline", 0)
    # 0.61 and 0.65 lie in the bin (9/15, 10/15], 0.97 and 0.99 in the last one.
    predictions = {run.run_id: two_class([0.61, 0.65, 0.97, 0.99, 0.98], [True, False, True, True, False])}
    (curve,) = reliability_curves([run], predictions, ["baseline"])
    low, high = curve.bins
    assert (low.confidence, high.confidence) == pytest.approx(((0.61 + 0.65) / 2, (0.97 + 0.99 + 0.98) / 3))
    assert (low.accuracy, high.accuracy) == (1 / 2, 2 / 3)
    assert (low.share, high.share) == (2 / 5, 3 / 5)
    assert (low.num_images, high.num_images) == (2, 3)
    assert curve.mean_confidence == pytest.approx((0.61 + 0.65 + 0.97 + 0.99 + 0.98) / 5)
    assert curve.mean_accuracy == pytest.approx(3 / 5)
    assert curve.ece == pytest.approx((abs(0.61 + 0.65 - 1) + abs(0.97 + 0.99 + 0.98 - 2)) / 5)


def test_the_error_of_a_condition_is_the_mean_over_its_runs(make_run):
    runs = [make_run("dropout", 0), make_run("dropout", 1)]
    predictions = {
        runs[0].run_id: two_class([0.9, 0.9], [True, False]),
        runs[1].run_id: two_class([0.9], [True]),
    }
    (curve,) = reliability_curves(runs, predictions, ["dropout"])
    assert curve.num_seeds == 2
    assert [(one.accuracy, one.num_images) for one in curve.bins] == [(2 / 3, 3 / 2)]
    assert curve.ece == pytest.approx(((0.9 - 1 / 2) + (1 - 0.9)) / 2)


def test_the_logged_error_is_shown_and_not_that_of_rounded_probabilities(make_run):
    runs = [make_run("dropout", seed, test_ece=value) for seed, value in enumerate((0.03, 0.05))]
    predictions = {run.run_id: two_class([0.9], [True]) for run in runs}
    (curve,) = reliability_curves(runs, predictions, ["dropout"])
    assert curve.ece == pytest.approx(0.04)


def test_a_bin_holds_its_upper_edge(make_run):
    run = make_run("baseline", 0)
    three = np.array([[0.6, 0.4], [1.0, 0.0]]), np.array([0, 0], dtype=np.uint8)
    (curve,) = reliability_curves([run], {run.run_id: three}, ["baseline"])
    assert [one.confidence for one in curve.bins] == [0.6, 1.0]


def test_runs_and_conditions_without_predictions_are_left_out(make_run):
    runs = [make_run("baseline", 0), make_run("dropout", 0), make_run("dropout", 1)]
    predictions = {runs[1].run_id: two_class([0.9], [True])}
    (curve,) = reliability_curves(runs, predictions, ["baseline", "dropout"])
    assert (curve.condition, curve.num_seeds) == ("dropout", 1)


def test_tiny_bins_are_not_drawn_but_counted(make_run):
    run = make_run("baseline", 0)
    confidences = [0.9] * MIN_IMAGES + [0.6] * (MIN_IMAGES - 1)
    curves = reliability_curves(
        [run], {run.run_id: two_class(confidences, [True] * len(confidences))}, ["baseline"]
    )
    top, bottom = draw_reliability(curves).axes
    assert top.get_lines()[1].get_xydata().tolist() == [pytest.approx([0.9, 0.1])]
    assert len(bottom.patches) == 2
    assert describe(curves) == "baseline is underconfident on average (confidence 75.38%, accuracy 100.00%)."


def test_predictions_can_have_names_other_than_conditions():
    plain, scaled = two_class([0.9, 0.9], [True, False]), two_class([0.6, 0.6], [True, False])
    curves = named_curves({"dropout off": [plain, plain], "temperature": [scaled], "none": []})
    assert [(one.condition, one.num_seeds) for one in curves] == [("dropout off", 2), ("temperature", 1)]
    assert [one.ece for one in curves] == pytest.approx([0.9 - 1 / 2, 0.6 - 1 / 2])
