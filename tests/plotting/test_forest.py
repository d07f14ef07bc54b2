import math

import pytest

from dropout_lab.comparison.compare import Question, compare_runs
from dropout_lab.plotting.forest import draw_forest, forest_panels


@pytest.fixture(scope="module")
def comparison(make_run):
    loss = {"baseline": (0.26, 0.25, 0.27), "dropout": (0.24, 0.24, 0.25)}
    accuracy = {"baseline": (0.90, 0.91, 0.92), "dropout": (0.91, 0.915, 0.93)}
    runs = [
        make_run(name, seed, test_accuracy=accuracy[name][seed], test_loss=loss[name][seed])
        for name in loss
        for seed in range(3)
    ]
    return compare_runs(runs)


def test_a_panel_holds_what_was_judged(comparison):
    accuracy, loss = forest_panels(comparison)
    assert (accuracy.metric, loss.metric) == ("test_accuracy", "test_loss")
    (row,) = accuracy.rows
    judged = comparison.difference("dropout", "test_accuracy")
    assert row.mean_difference == pytest.approx((0.01 + 0.005 + 0.01) / 3)
    assert (row.ci_low, row.ci_high, row.n) == (judged.ci_low, judged.ci_high, 3)
    assert row.verdict == comparison.verdict("dropout", "test_accuracy").word
    assert accuracy.margin == judged.margin


def test_a_single_seed_has_a_difference_but_no_interval(make_run):
    runs = [make_run("baseline", 0, test_accuracy=0.9), make_run("dropout", 0, test_accuracy=0.92)]
    (panel,) = forest_panels(compare_runs(runs))
    assert panel.rows[0].mean_difference == pytest.approx(0.92 - 0.9)
    assert math.isnan(panel.rows[0].ci_low)
    assert len(draw_forest([panel]).axes[0].get_lines()) == 2, "the zero line and the marker, but no interval"


def test_nothing_to_compare_gives_no_panel(make_run):
    assert forest_panels(compare_runs([make_run("baseline", 0, test_accuracy=0.9)])) == ()


def test_a_metric_without_margin_has_no_zone(make_run):
    runs = [make_run(name, seed, own=seed / 10) for name in ("baseline", "dropout") for seed in (1, 2)]
    (panel,) = forest_panels(compare_runs(runs, Question(metrics=["own"])))
    assert panel.margin is None
    assert not draw_forest([panel]).axes[0].patches


def test_intervals_are_drawn_in_percentage_points_with_the_verdict(comparison):
    axes = draw_forest(forest_panels(comparison)).axes[0]
    assert axes.get_xlabel() == "test accuracy (percentage points)"
    assert axes.xaxis.get_major_formatter()(-0.002, 0) == "-0.2"
    word = comparison.verdict("dropout", "test_accuracy").word
    assert [text.get_text() for text in axes.texts] == [f"{word} (n = 3)"]
    (zone,) = axes.patches
    assert (zone.get_x(), zone.get_width()) == (-0.002, 2 * 0.002)
