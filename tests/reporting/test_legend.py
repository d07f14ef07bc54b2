from dropout_lab.comparison.compare import compare_runs
from dropout_lab.reporting.legend import legend_of_tests, legend_of_verdicts


def compare(make_run, names=("baseline", "dropout")):
    return compare_runs(
        [
            make_run(name, seed, test_accuracy=0.9 + number * seed**2 / 100, test_loss=0.3 - seed * number)
            for number, name in enumerate(names)
            for seed in range(6)
        ]
    )


def test_the_margin_is_named_in_the_unit_of_the_metric(make_run):
    assert "within the equivalence margin (in test accuracy: ±0.20 points)" in legend_of_verdicts(
        compare(make_run)
    )


def test_corrections_and_effect_sizes_are_named(make_run):
    text = legend_of_tests(compare(make_run, ("baseline", "a", "b")))
    assert text.startswith("Tests: paired t")
    assert "Holm correction over 2 comparisons in the primary metric." in text
    assert "Holm correction over 2 comparisons in the secondary metrics." in text
    assert "Cohen's d_z" in text
    assert "Holm" not in legend_of_tests(compare(make_run))


def test_without_a_comparison_no_test_is_named(make_run):
    assert legend_of_tests(compare(make_run, ("baseline",))) == ""
