import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from dropout_lab.comparison.claims import ClaimStatus
from dropout_lab.comparison.compare import compare_runs
from dropout_lab.comparison.question import Question
from dropout_lab.comparison.results import Comparison, VerdictWord
from dropout_lab.errors import UsageError
from dropout_lab.records import Claim, RunRecord, RunStatus
from dropout_lab.statistics.methods import Method

MakeRun = Callable[..., RunRecord]
MakeCondition = Callable[..., list[RunRecord]]
BASELINE = [0.905, 0.904, 0.909, 0.906, 0.902, 0.908]
DROPOUT = [0.912, 0.907, 0.915, 0.909, 0.911, 0.913]


def compare(runs: list[RunRecord], **question: Any) -> Comparison:
    return compare_runs(runs, Question(**question))


def test_a_comparison_holds_the_figures_of_each_condition(make_condition: MakeCondition) -> None:
    found = compare(make_condition("baseline", BASELINE) + make_condition("dropout", DROPOUT))
    assert (found.experiment, found.reference) == ("study", "baseline")
    assert found.conditions == ("baseline", "dropout")
    assert found.metrics == ("test_accuracy",)
    summary = found.summary("dropout", "test_accuracy")
    assert summary.mean == pytest.approx(sum(DROPOUT) / 6)
    assert summary.sd == pytest.approx(np.std(DROPOUT, ddof=1))
    assert summary.values == dict(enumerate(DROPOUT))
    difference = found.difference("dropout", "test_accuracy")
    assert difference.p_value == pytest.approx(stats.ttest_rel(DROPOUT, BASELINE).pvalue)
    assert difference.p_adjusted == difference.p_value
    assert difference.differences[1] == pytest.approx(0.907 - 0.904)
    assert (difference.margin, difference.n, difference.paired) == (0.002, 6, True)
    assert found.verdict("dropout", "test_accuracy").word is VerdictWord.BETTER
    assert found.findings == found.exclusions == found.notes == ()
    with pytest.raises(KeyError):
        found.summary("dropout", "test_loss")


def test_p_values_are_corrected_over_the_conditions_of_each_metric(make_run: MakeRun) -> None:
    rng = np.random.default_rng(3)
    figures = rng.normal([[[0.9]], [[0.3]]], 0.002, (2, 4, 6)) + np.arange(4)[:, None] * 0.001
    names = ("baseline", "a", "b", "c")
    runs = [
        make_run(name, seed, test_accuracy=figures[0, i, seed], test_loss=figures[1, i, seed])
        for i, name in enumerate(names)
        for seed in range(6)
    ]
    found = compare(runs, metrics=["test_loss", "test_accuracy"])
    for metric, rows in zip(("test_accuracy", "test_loss"), figures, strict=True):
        p_values = [stats.ttest_rel(rows[i], rows[0]).pvalue for i in (1, 2, 3)]
        expected = multipletests(p_values, method="holm")[1]
        assert [found.difference(name, metric).p_adjusted for name in names[1:]] == pytest.approx(expected)
    assert found.metrics == ("test_loss", "test_accuracy")
    assert any("Holm" in note for note in found.notes)


def test_default_metrics_are_those_that_were_logged(make_run: MakeRun) -> None:
    figures = {"test_loss": 0.3, "test_accuracy": 0.9, "test_ece": 0.02, "train_seconds": 5.0}
    runs = [make_run(name, seed, **figures) for name in ("baseline", "dropout") for seed in (0, 1)]
    assert compare(runs).metrics == ("test_accuracy", "test_loss", "test_ece")
    assert compare(runs, metrics=["train_seconds"]).metrics == ("train_seconds",)
    with pytest.raises(UsageError, match="did you mean 'test_accuracy'"):
        compare(runs, metrics=["test_acuracy"])
    with pytest.raises(UsageError, match="did you mean 'test_loss'"):
        compare(runs, margins={"test_los": 0.1})
    with pytest.raises(UsageError, match="No run has any of the metrics"):
        compare([make_run("baseline", 0, sharpness=1.0)])


def test_a_margin_of_ones_own_moves_the_verdict(make_condition: MakeCondition) -> None:
    runs = make_condition("baseline", BASELINE) + make_condition("dropout", DROPOUT)
    found = compare(runs, margins={"test_accuracy": 0.02})
    assert found.verdict("dropout", "test_accuracy").word is VerdictWord.EQUIVALENT


def test_a_confounded_comparison_is_refused_unless_allowed(make_condition: MakeCondition) -> None:
    runs = make_condition("baseline", BASELINE)
    runs += make_condition("dropout", DROPOUT, spec={"training.epochs": "3"})
    with pytest.raises(
        UsageError, match=r"cannot be compared:\n- training.epochs differs: 10 in baseline; 3"
    ):
        compare(runs)
    (finding,) = compare(runs, allow=["training.epochs"]).findings
    assert finding.key == "training.epochs"


def test_runs_without_a_figure_are_left_out_of_that_metric_only(make_run: MakeRun) -> None:
    runs = [
        make_run(name, seed, test_accuracy=0.9 + seed / 1000, test_loss=math.nan if seed == 2 else 0.3)
        for name in ("baseline", "dropout")
        for seed in range(4)
    ]
    found = compare(runs)
    assert found.difference("dropout", "test_accuracy").n == 4
    assert found.difference("dropout", "test_loss").n == 3
    assert [(one.seed, one.metric) for one in found.exclusions] == [(2, "test_loss")] * 2
    assert any("excluded from that metric" in note for note in found.notes)


def test_a_metric_that_one_condition_lacks_is_undecided(make_run: MakeRun) -> None:
    runs = [make_run("baseline", seed, test_accuracy=0.9, test_loss=0.3) for seed in range(3)]
    runs += [make_run("dropout", seed, test_accuracy=0.9) for seed in range(3)]
    found = compare(runs)
    assert found.difference("dropout", "test_loss").n == 0
    assert found.verdict("dropout", "test_loss").word is VerdictWord.UNDECIDED


def test_a_single_condition_has_figures_and_no_difference(make_condition: MakeCondition) -> None:
    found = compare(make_condition("dropout", DROPOUT))
    assert found.summary("dropout", "test_accuracy").n == 6
    assert found.differences == found.verdicts == ()
    assert any("only condition" in note for note in found.notes)


def test_single_runs_are_undecided(make_condition: MakeCondition) -> None:
    found = compare(make_condition("baseline", BASELINE[:1]) + make_condition("dropout", DROPOUT[:1]))
    assert found.difference("dropout", "test_accuracy").mean_difference == pytest.approx(0.007)
    assert found.verdict("dropout", "test_accuracy").word is VerdictWord.UNDECIDED


@pytest.mark.parametrize("method", Method)
@pytest.mark.parametrize("n", [1, 2, 5, 6])
def test_identical_runs_are_never_better(make_condition: MakeCondition, method: Method, n: int) -> None:
    found = compare(
        make_condition("baseline", BASELINE[:n]) + make_condition("dropout", BASELINE[:n]), method=method
    )
    difference = found.difference("dropout", "test_accuracy")
    assert difference.mean_difference == 0
    word = found.verdict("dropout", "test_accuracy").word
    assert word is (VerdictWord.EQUIVALENT if n >= 5 else VerdictWord.UNDECIDED)


def test_the_gap_is_decomposed_into_noise_and_overfitting(make_run: MakeRun) -> None:
    figures = {
        "accuracy": 0.90, "train_accuracy": 0.95, "test_accuracy": 0.91,
        "loss": 0.30, "train_loss": 0.15, "test_loss": 0.25,
    }  # fmt: skip
    runs = [make_run("dropout", seed, **figures) for seed in range(3)]
    runs.append(make_run("dropout", 3, test_accuracy=0.5))
    accuracy, loss = compare(runs).gaps
    assert (accuracy.metric, accuracy.n, loss.metric, loss.n) == ("accuracy", 3, "loss", 3)
    assert (accuracy.train_noisy, accuracy.train, accuracy.test) == pytest.approx((0.90, 0.95, 0.91))
    assert (accuracy.dropout_noise, accuracy.gap) == pytest.approx((0.95 - 0.90, 0.95 - 0.91))
    assert (loss.dropout_noise, loss.gap) == pytest.approx((0.15 - 0.30, 0.25 - 0.15))


def test_weights_of_an_earlier_epoch_have_no_metrics_with_dropout_on(make_run: MakeRun) -> None:
    figures = {"accuracy": 0.90, "train_accuracy": 0.95, "test_accuracy": 0.91}
    runs = [make_run("dropout", seed, **figures, best_epoch=4.0) for seed in range(3)]
    assert compare(runs).gaps == ()
    runs.append(make_run("dropout", 3, **figures))
    (gap,) = compare(runs).gaps
    assert gap.n == 1


def test_claims_are_judged_with_the_comparison(make_condition: MakeCondition) -> None:
    claim = Claim(
        metric="test_accuracy", condition="dropout", reference="baseline", expected="higher", margin=0.001
    )
    runs = make_condition("baseline", BASELINE) + make_condition("dropout", DROPOUT)
    (result,) = compare(runs, claims=[claim]).claims
    assert result.status is ClaimStatus.SUPPORTED
    assert result.changed


def test_notes_tell_what_a_reader_must_know(make_condition: MakeCondition, make_run: MakeRun) -> None:
    baseline = make_condition("baseline", BASELINE, spec={"data.validation": "test"})
    unpaired = [
        make_run("dropout", seed + 50, test_accuracy=value, spec={"data.validation": "test"})
        for seed, value in enumerate(DROPOUT)
    ]
    notes = " ".join(compare(baseline + unpaired).notes)
    assert "too few seeds to pair; using an unpaired test" in notes
    assert "The test set was used for validation." in notes
    fewer = make_condition("dropout", DROPOUT[:4])
    notes = " ".join(compare(make_condition("baseline", BASELINE) + fewer, method=Method.SIGN_FLIP).notes)
    assert "excluded seeds: 4, 5" in notes
    assert "With 4 seeds the exact sign-flip test cannot give a p-value below 0.12" in notes


@given(data=st.data())
@settings(max_examples=30)
def test_the_order_of_runs_never_matters(
    make_run: MakeRun, make_condition: MakeCondition, data: st.DataObject
) -> None:
    runs = make_condition("baseline", BASELINE) + make_condition("dropout", DROPOUT)
    runs += [make_run("dropout", 1, minute=30, test_accuracy=0.5, status=RunStatus.FAILED)]
    runs += [make_run("dropout", 2, minute=40, test_accuracy=0.91)]
    shuffled = data.draw(st.permutations(runs))
    assert compare(list(shuffled)) == compare(runs)


def test_swapping_the_reference_flips_the_verdict(make_condition: MakeCondition) -> None:
    runs = make_condition("baseline", BASELINE) + make_condition("dropout", DROPOUT)
    forth = compare(runs).differences[0]
    back = compare(runs, reference="dropout").differences[0]
    assert back.mean_difference == -forth.mean_difference
    assert (back.ci_low, back.ci_high) == pytest.approx((-forth.ci_high, -forth.ci_low))
    assert compare(runs, reference="dropout").verdicts[0].word is VerdictWord.WORSE


def test_results_are_plain_data(make_condition: MakeCondition) -> None:
    found = compare(make_condition("baseline", BASELINE) + make_condition("dropout", DROPOUT))
    for difference in found.differences:
        for name, value in dataclasses.asdict(difference).items():
            assert type(value) in (str, int, float, bool, dict, type(None)), name


def test_secondary_metrics_are_corrected_over_metrics_and_conditions_together(make_run: MakeRun) -> None:
    rng = np.random.default_rng(4)
    names, metrics = ("baseline", "a", "b"), ("test_accuracy", "test_loss", "test_ece")
    values = rng.normal(0.5, 0.01, (3, 3, 6)) + np.arange(3)[:, None, None] * 0.004
    runs = [
        make_run(name, seed, **{metric: values[i, j, seed] for j, metric in enumerate(metrics)})
        for i, name in enumerate(names)
        for seed in range(6)
    ]
    found = compare(runs)
    raw = [stats.ttest_rel(values[i, j], values[0, j]).pvalue for j in (1, 2) for i in (1, 2)]
    expected = multipletests(raw, method="holm")[1]
    secondary = [found.difference(name, metric) for metric in metrics[1:] for name in names[1:]]
    assert [one.p_adjusted for one in secondary] == pytest.approx(expected)
    assert {one.num_tests for one in secondary} == {4}
    assert found.difference("a", "test_accuracy").num_tests == 2
    alone = compare(runs, metrics=["test_ece"], conditions=["a"], primary="test_accuracy")
    assert alone.difference("a", "test_ece") == found.difference("a", "test_ece")
    assert alone.metrics == ("test_accuracy", "test_ece")


@given(data=st.data())
@settings(max_examples=25)
def test_an_interval_excludes_no_difference_exactly_if_the_verdict_does(
    make_run: MakeRun, data: st.DataObject
) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 10_000)))
    method = data.draw(st.sampled_from(list(Method)))
    names, metrics = ("baseline", "a", "b", "c"), ("test_accuracy", "test_loss", "test_ece")
    effects = rng.choice([0.0, 0.004, 0.01, 0.03], (4, 3, 1))
    values = rng.normal(0.5, 0.01, (4, 3, 8)) + effects
    runs = [
        make_run(name, seed, **{metric: values[i, j, seed] for j, metric in enumerate(metrics)})
        for i, name in enumerate(names)
        for seed in range(8)
    ]
    for difference in compare(runs, method=method).differences:
        excludes = not difference.adjusted_ci_low <= 0 <= difference.adjusted_ci_high
        assert excludes == (difference.p_adjusted <= 0.05), difference
        assert difference.adjusted_ci_low <= difference.ci_low
        assert difference.ci_high <= difference.adjusted_ci_high


def test_an_interval_beyond_the_margin_beside_equivalence_is_explained(make_run: MakeRun) -> None:
    noise = np.array([-0.003, -0.001, 0.0, 0.002, 0.003, -0.002, 0.001, 0.0])
    runs = [make_run(name, seed, test_accuracy=0.9 + (name == "dropout") * noise[seed])
            for name in ("baseline", "dropout") for seed in range(8)]  # fmt: skip
    half = stats.t.ppf(0.975, 7) * noise.std(ddof=1) / np.sqrt(8)
    found = compare(runs, margins={"test_accuracy": 0.97 * half})
    assert found.verdicts[0].word is VerdictWord.EQUIVALENT
    assert any("two one-sided tests" in note for note in found.notes)
    assert not any("two one-sided tests" in note for note in compare(runs, margins={"": 1.03 * half}).notes)
