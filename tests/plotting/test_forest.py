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


def test_metrics_share_an_axis_of_margins_on_which_right_is_better(comparison):
    (panel,) = forest_panels(comparison)
    accuracy, loss = panel.rows
    judged = comparison.difference("dropout", "test_accuracy")
    assert panel.metric is None
    assert accuracy.mean == pytest.approx((0.01 + 0.005 + 0.01) / 3 / 0.002)
    assert accuracy.interval == pytest.approx((judged.ci_low / 0.002, judged.ci_high / 0.002))
    assert accuracy.by_seed == pytest.approx((0.01 / 0.002, 0.005 / 0.002, 0.01 / 0.002))
    assert loss.mean == pytest.approx((0.02 + 0.01 + 0.02) / 3 / 0.01), "a lower loss is to the right"
    assert loss.adjusted[0] < loss.adjusted[1]
    assert loss.shown == "-0.0167"
    assert accuracy.verdict == comparison.verdict("dropout", "test_accuracy").word


def test_a_narrower_gap_is_to_the_right(make_run):
    gaps = {"baseline": (0.03, 0.031), "dropout": (0.02, 0.021)}
    runs = [make_run(n, s, generalization_gap=gaps[n][s]) for n in gaps for s in range(2)]
    (panel,) = forest_panels(compare_runs(runs, Question(metrics=["generalization_gap"])))
    assert panel.rows[0].mean == pytest.approx(0.01 / 0.002)


def test_the_adjusted_interval_is_the_wider_one(make_run):
    runs = [
        make_run(name, seed, test_accuracy=0.9 + seed / 100 + shift * seed, test_loss=0.3 + seed / 50)
        for name, shift in (("baseline", 0), ("low", 0.01), ("high", 0.02))
        for seed in range(3)
    ]
    row = forest_panels(compare_runs(runs))[0].rows[0]
    assert row.adjusted[0] < row.interval[0] < row.interval[1] < row.adjusted[1]


def test_a_single_seed_has_a_difference_but_no_interval(make_run):
    runs = [make_run("baseline", 0, test_accuracy=0.9), make_run("dropout", 0, test_accuracy=0.92)]
    (panel,) = forest_panels(compare_runs(runs))
    assert panel.rows[0].mean == pytest.approx(0.02 / 0.002)
    assert math.isnan(panel.rows[0].interval[0])
    assert len(draw_forest([panel]).axes[0].get_lines()) == 3, "the zero line, the seed and the marker"


def test_nothing_to_compare_gives_no_panel(make_run):
    assert forest_panels(compare_runs([make_run("baseline", 0, test_accuracy=0.9)])) == ()


def test_a_metric_without_margin_has_its_own_axis_without_zone(make_run):
    runs = [
        make_run(name, seed, own=seed / 10, test_accuracy=0.9 + seed / 100)
        for name in ("baseline", "dropout")
        for seed in (1, 2)
    ]
    common, own = forest_panels(compare_runs(runs, Question(metrics=["own", "test_accuracy"])))
    assert (common.metric, own.metric) == (None, "own")
    first, second = draw_forest([common, own]).axes
    assert second.get_xlabel() == "own"
    assert (len(first.patches), len(second.patches)) == (1, 0)


def test_rows_name_metric_difference_and_verdict(comparison):
    axes = draw_forest(forest_panels(comparison)).axes[0]
    word = comparison.verdict("dropout", "test_accuracy").word
    texts = [text.get_text() for text in axes.texts]
    assert texts[:2] == ["test accuracy", f"+0.83 points, {word}"]
    assert texts[-2:] == ["\N{LEFTWARDS ARROW} worse", "better \N{RIGHTWARDS ARROW}"]
    (zone,) = axes.patches
    assert (zone.get_x(), zone.get_width()) == (-1, 2)


def test_metrics_head_the_rows_of_several_conditions(make_run):
    runs = [make_run(n, s, test_accuracy=0.9 + s / 100) for n in ("baseline", "high", "low") for s in (0, 1)]
    axes = draw_forest(forest_panels(compare_runs(runs))).axes[0]
    assert [text.get_text() for text in axes.texts[:-2] if text.get_position()[0] == 0] == [
        "test accuracy",
        "high",
        "low",
    ]


def test_an_interval_of_two_seeds_does_not_hide_all_else(make_run):
    runs = [
        make_run(n, s, test_accuracy=0.9 + s * x)
        for n, x in (("baseline", 0), ("dropout", 0.1))
        for s in (0, 1)
    ]
    (panel,) = forest_panels(compare_runs(runs))
    low, high = draw_forest([panel]).axes[0].get_xlim()
    assert panel.rows[0].interval[1] > 5 * 50
    assert high == pytest.approx(2 * 50), "twice the larger of the differences, 0.1 / 0.002"
    assert low == pytest.approx(-2 * 50)
