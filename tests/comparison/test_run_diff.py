import math
from dataclasses import replace
from datetime import timedelta

from dropout_lab.comparison.run_diff import Change, diff_runs


def test_a_run_differs_from_itself_in_nothing(make_run):
    run = make_run("dropout", 0, test_accuracy=0.9, own=math.nan)
    other = replace(run, run_id="x", run_name="y", start_time=run.start_time + timedelta(days=1))
    assert diff_runs(run, other) == ()


def test_only_what_differs_is_told_in_order_of_section(make_run):
    one = make_run("baseline", 0, test_accuracy=0.9, test_loss=0.3)
    other = make_run(
        "dropout", 0, versions={"keras": "4.0"}, git_dirty=True, test_accuracy=0.92, test_loss=0.3
    )
    changes = diff_runs(one, other)
    assert [(c.section, c.key, c.first, c.second) for c in changes] == [
        ("spec", "model.dropout.conv1", "0.0", "0.2"),
        ("spec", "model.dropout.conv2", "0.0", "0.2"),
        ("spec", "model.dropout.dense", "0.0", "0.5"),
        ("run", "condition", "baseline", "dropout"),
        ("code", "git_dirty", "false", "true"),
        ("versions", "keras", one.versions["keras"], "4.0"),
        ("fingerprints", "final_weights", one.final_weights, other.final_weights),
        ("metrics", "test_accuracy", 0.9, 0.92),
    ]
    assert changes[-1].difference == 0.92 - 0.9
    assert changes[0].difference is None


def test_what_one_run_lacks_is_none(make_run):
    one = make_run("baseline", 0, spec={"only.first": "1"}, test_accuracy=0.9)
    other = make_run("baseline", 0, test_loss=0.3)
    found = {(c.key, c.first, c.second) for c in diff_runs(one, other)}
    assert found == {("only.first", "1", None), ("test_accuracy", 0.9, None), ("test_loss", None, 0.3)}
    assert Change(section="metrics", key="x", first=0.9, second=None).difference is None


def test_swapping_the_runs_swaps_the_values(make_run):
    one, other = make_run("baseline", 0, test_loss=0.3), make_run("dropout", 1, test_loss=0.2)
    swapped = [(c.section, c.key, c.second, c.first) for c in diff_runs(other, one)]
    assert swapped == [(c.section, c.key, c.first, c.second) for c in diff_runs(one, other)]


def test_the_load_of_the_machine_is_no_figure_of_a_run(make_run):
    one, other = (make_run("baseline", 0, **{"system/memory_percentage": load}) for load in (1.0, 2.0))
    assert diff_runs(one, other) == ()
