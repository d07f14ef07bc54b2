from dataclasses import replace

import pytest

from dropout_lab.comparison.compare import Question, compare_runs
from dropout_lab.comparison.results import VerdictWord
from dropout_lab.comparison.sensitivity import sensitivity

NOISE = (0.0, 0.001, -0.001, 0.0005, -0.0005, 0.0004)


def compare(make_run, *, paired: bool = True, **question):
    runs = [
        make_run(
            name, seed + 10 * (not paired and name == "dropout"), test_accuracy=0.9 + noise * (1 + shift)
        )
        for name, shift in (("baseline", 0.0), ("dropout", 0.8))
        for seed, noise in enumerate(NOISE)
    ]
    return compare_runs(runs, Question(**question))


@pytest.mark.parametrize("paired", [True, False], ids=["paired", "unpaired"])
@pytest.mark.parametrize("method", ["t", "wilcoxon", "sign-flip"])
def test_equivalence_starts_at_the_margin(make_run, paired, method):
    comparison = compare(make_run, paired=paired, method=method)
    found = sensitivity(comparison, comparison.difference("dropout", "test_accuracy"))
    for factor, is_equivalent in ((1.02, True), (0.98, False)):
        margins = {"test_accuracy": factor * found.equivalence_margin}
        again = compare(make_run, paired=paired, method=method, margins=margins)
        word = again.verdict("dropout", "test_accuracy").word
        assert (word is VerdictWord.EQUIVALENT) == is_equivalent


def test_with_several_conditions_the_margin_is_the_one_at_which_the_verdict_changes(make_run):
    effects = {"baseline": 0.0, "equal": 0.0001, "near": 0.0012}
    runs = [
        make_run(
            name,
            seed,
            rates=(0.0, 0.0, effect),
            test_accuracy=0.9 + effect + NOISE[seed] * (1 + 200 * effect),
        )
        for name, effect in effects.items()
        for seed in range(len(NOISE))
    ]

    def word(margin):
        return (
            compare_runs(runs, Question(margins={"test_accuracy": margin}))
            .verdict("near", "test_accuracy")
            .word
        )

    comparison = compare_runs(runs, Question(margins={"test_accuracy": 0.0025}))
    found = sensitivity(comparison, comparison.difference("near", "test_accuracy")).equivalence_margin
    assert word(0.0025) is VerdictWord.EQUIVALENT
    assert found < 0.0025
    assert word(1.02 * found) is VerdictWord.EQUIVALENT
    assert word(0.98 * found) is not VerdictWord.EQUIVALENT


def test_nothing_is_said_where_nothing_was_tested(make_run):
    comparison = compare(make_run)
    difference = comparison.difference("dropout", "test_accuracy")
    assert sensitivity(comparison, difference) is not None
    assert sensitivity(comparison, replace(difference, n=1)) is None
    assert sensitivity(comparison, replace(difference, sd_difference=0.0)) is None
