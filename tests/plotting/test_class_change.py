import pytest

from dropout_lab.plotting.class_change import class_changes, draw_class_changes


def test_runs_are_paired_by_seed(make_run):
    runs = [
        make_run("dropout", 1, test_accuracy_class_0=0.9, test_accuracy_class_1=0.5),
        make_run("baseline", 0, test_accuracy_class_0=0.5, test_accuracy_class_1=0.5),
        make_run("dropout", 0, test_accuracy_class_0=0.6, test_accuracy_class_1=0.3),
        make_run("baseline", 1, test_accuracy_class_0=0.6, test_accuracy_class_1=0.6),
        make_run("dropout", 7, test_accuracy_class_0=0.0, test_accuracy_class_1=0.0),
    ]
    shirt, coat = class_changes(runs, ["baseline", "dropout"], "baseline", ["shirt", "coat"])
    assert (shirt.condition, shirt.class_name) == ("dropout", "shirt")
    assert shirt.differences == pytest.approx((0.6 - 0.5, 0.9 - 0.6))
    assert coat.mean == pytest.approx(((0.3 - 0.5) + (0.5 - 0.6)) / 2)


def test_classes_are_in_order_of_number_and_named_by_it_without_names(make_run):
    figures = {f"test_accuracy_class_{number}": 0.5 for number in (10, 9, 2)}
    runs = [make_run(name, 0, **figures) for name in ("baseline", "dropout")]
    names = [change.class_name for change in class_changes(runs, ["baseline", "dropout"], "baseline")]
    assert names == ["class 2", "class 9", "class 10"]


def test_conditions_without_a_twin_or_figures_give_nothing(make_run):
    runs = [
        make_run("baseline", 0, test_accuracy_class_0=0.5),
        make_run("dropout", 1, test_accuracy_class_0=1.0),
    ]
    assert class_changes(runs, ["baseline", "dropout"], "baseline") == ()
    assert class_changes([make_run("baseline", 0), make_run("dropout", 0)], ["dropout"], "baseline") == ()


def test_the_class_that_gains_most_is_on_top(make_run):
    runs = [
        make_run("baseline", 0, test_accuracy_class_0=0.5, test_accuracy_class_1=0.5),
        make_run("dropout", 0, test_accuracy_class_0=0.3, test_accuracy_class_1=0.6),
    ]
    figure = draw_class_changes(class_changes(runs, ["dropout"], "baseline", ["shirt", "coat"]), "baseline")
    axes = figure.axes[0]
    bottom, top = axes.get_ylim()
    assert bottom > top
    assert [label.get_text() for label in axes.get_yticklabels()] == ["coat (50%)", "shirt (50%)"]
    assert "percentage points" in axes.get_xlabel()


def test_the_interval_is_that_of_student(make_run):
    values = {"baseline": (0.5, 0.5, 0.5), "dropout": (0.5, 0.6, 0.7)}
    runs = [make_run(n, s, test_accuracy_class_0=values[n][s]) for n in values for s in range(3)]
    (change,) = class_changes(runs, ["dropout"], "baseline")
    half_width = 4.302653 * 0.1 / 3**0.5
    assert change.interval == pytest.approx((0.1 - half_width, 0.1 + half_width))
    (one,) = class_changes(runs[:1] + runs[3:4], ["dropout"], "baseline")
    assert one.interval is None
