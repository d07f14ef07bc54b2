import pytest

from dropout_lab.comparison.compare import compare_runs
from dropout_lab.comparison.question import Question
from dropout_lab.reporting.report import render_report
from dropout_lab.reporting.seed_table import MAX_CONDITIONS, seed_table


def compare(make_run, names=("dropout",), metric="test_accuracy"):
    runs = [
        make_run(name, seed, **{metric: 0.9 + (0.001 if name == "baseline" else 0.01) * seed})
        for name in ("baseline", *names)
        for seed in range(3)
    ]
    return compare_runs(runs, Question(metrics=(metric,), primary=metric))


def test_seeds_stand_below_each_other_with_their_differences(make_run):
    found = seed_table(compare(make_run))
    assert found.table.headings == ("Seed", "baseline", "dropout", "Difference")
    assert found.table.rows == (
        ("0", "90.00%", "90.00%", "+0.00 points"),
        ("1", "90.10%", "91.00%", "+0.90 points"),
        ("2", "90.20%", "92.00%", "+1.80 points"),
    )
    assert found.sides == ({}, {3: "better"}, {3: "better"})
    html = render_report(compare(make_run))
    assert html.count('<td class="number better">') == 2


def test_where_lower_is_better_the_sides_change(make_run):
    found = seed_table(compare(make_run, metric="test_loss"))
    assert found.sides == ({}, {}, {3: "worse"}), "0.009 is within the margin of 0.01"


@pytest.mark.parametrize(("number", "is_shown"), [(MAX_CONDITIONS, True), (MAX_CONDITIONS + 1, False)])
def test_a_table_that_is_too_wide_is_left_out(make_run, number, is_shown):
    found = seed_table(compare(make_run, [f"c{one}" for one in range(number)]))
    assert (found is not None) is is_shown
