import math

import pytest

from dropout_lab.comparison.compare import Question, compare_runs
from dropout_lab.plotting.paired_seeds import describe, draw_paired_seeds, paired_seeds_data

ACCURACY = {"baseline": (0.90, 0.91, 0.92), "dropout": (0.91, 0.905, 0.93)}


@pytest.fixture(scope="module")
def data(make_run):
    runs = [
        make_run(name, seed, test_accuracy=ACCURACY[name][seed]) for name in ACCURACY for seed in range(3)
    ]
    return paired_seeds_data(compare_runs(runs))


def test_differences_are_those_of_the_seeds(data):
    (one,) = data.differences
    assert list(one.by_seed.values()) == pytest.approx([0.01, -0.005, 0.01])
    assert one.mean == pytest.approx(0.015 / 3)
    assert one.ci_low < one.mean < one.ci_high
    assert describe(data) == "dropout: mean +0.50 points, 2 of 3 seeds higher, 1 lower"


def test_each_seed_is_a_line_between_the_conditions(data):
    top, bottom = draw_paired_seeds(data).axes
    lines = [line.get_ydata() for line in top.get_lines()[:3]]
    assert [list(line) for line in lines] == [list(pair) for pair in zip(*ACCURACY.values(), strict=True)]
    assert [label.get_text() for label in top.get_xticklabels()] == ["baseline", "dropout"]
    (zone,) = bottom.patches
    assert (zone.get_x(), zone.get_width()) == (-0.002, 0.004)
    assert bottom.get_xlabel() == "test accuracy (percentage points)"


def test_right_is_better_if_lower_is_better(make_run):
    runs = [make_run(n, s, test_loss=0.2 + s / 100) for n in ACCURACY for s in range(2)]
    figure = draw_paired_seeds(paired_seeds_data(compare_runs(runs, Question(primary="test_loss"))))
    left, right = figure.axes[1].get_xlim()
    assert left > right


def test_one_seed_has_no_interval(make_run):
    data = paired_seeds_data(compare_runs([make_run(n, 0, test_accuracy=0.9) for n in ACCURACY]))
    assert math.isnan(data.differences[0].ci_low)
    draw_paired_seeds(data)


def test_runs_without_pairs_or_with_many_conditions_have_no_such_plot(make_run):
    unpaired = [
        make_run(n, 2 * s + (n == "dropout"), test_accuracy=0.9 + s / 100) for n in ACCURACY for s in (0, 1)
    ]
    assert paired_seeds_data(compare_runs(unpaired)) is None
    many = [make_run(n, s, test_accuracy=0.9 + s / 100) for n in ("baseline", *"abcdefgh") for s in (0, 1)]
    assert paired_seeds_data(compare_runs(many)) is None
