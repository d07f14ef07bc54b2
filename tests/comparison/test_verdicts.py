import math
from dataclasses import replace
from typing import Any

import pytest

from dropout_lab.comparison.results import Difference, Verdict, VerdictWord
from dropout_lab.comparison.standing import Stage, Standing
from dropout_lab.comparison.verdicts import judge
from dropout_lab.design import Design
from dropout_lab.statistics.methods import Method
from dropout_lab.statistics.power import seeds_to_decide

DIFFERENCE = Difference(
    condition="dropout",
    reference="baseline",
    metric="test_accuracy",
    n=10,
    paired=True,
    mean=0.9085,
    reference_mean=0.9,
    mean_difference=0.0085,
    sd_difference=0.003,
    ci_low=0.0061,
    ci_high=0.0109,
    adjusted_ci_low=0.0061,
    adjusted_ci_high=0.0109,
    confidence=0.95,
    p_value=0.0003,
    p_adjusted=0.0009,
    equivalence_p=0.99,
    equivalence_p_adjusted=0.99,
    effect_size=2.8,
    pairing_correlation=0.4,
    method="paired t",
    smallest_p=0.0,
    margin=0.002,
    differences={},
)


STANDING = Standing(
    condition="dropout", stage=Stage.PLANNED, num_seeds=10, seeds=tuple(range(10)), planned=10, looks=(10,),
    design=Design(first=10, most=10),
)  # fmt: skip


def verdict(difference: Difference = DIFFERENCE, standing: Standing = STANDING, **options: Any) -> Verdict:
    return judge(difference, standing, **options)


@pytest.mark.parametrize(
    ("metric", "mean_difference", "word"),
    [
        ("test_accuracy", 0.01, VerdictWord.BETTER),
        ("test_accuracy", -0.01, VerdictWord.WORSE),
        ("test_loss", 0.01, VerdictWord.WORSE),
        ("test_loss", -0.01, VerdictWord.BETTER),
        ("generalization_gap", -0.01, VerdictWord.NARROWER),
        ("generalization_gap", 0.01, VerdictWord.WIDER),
        ("loss_gap", -0.01, VerdictWord.NARROWER),
        ("test_brier", 0.01, VerdictWord.WORSE),
        ("test_ece", -0.01, VerdictWord.BETTER),
        ("sharpness", 0.01, VerdictWord.HIGHER),
        ("sharpness", -0.01, VerdictWord.LOWER),
    ],
)
def test_better_is_the_metrics_own_direction(metric: str, mean_difference: float, word: VerdictWord) -> None:
    difference = replace(DIFFERENCE, metric=metric, mean_difference=mean_difference)
    found = verdict(difference)
    assert found.word is word
    assert found.seeds_needed is None
    assert f"is {word} than" in found.sentence


@pytest.mark.parametrize(("mean", "reference_mean"), [(-0.05, 0.0), (-0.05, -0.01), (0.02, -0.03)])
def test_a_negative_gap_is_underfitting_and_not_narrower(mean: float, reference_mean: float) -> None:
    difference = replace(
        DIFFERENCE, metric="generalization_gap", mean=mean, reference_mean=reference_mean,
        mean_difference=mean - reference_mean,
    )  # fmt: skip
    word = verdict(difference).word
    assert word is (VerdictWord.HIGHER if mean > reference_mean else VerdictWord.LOWER)


def test_the_sentence_gives_difference_interval_p_value_and_pairs() -> None:
    assert verdict(replace(DIFFERENCE, num_tests=3)).sentence == (
        "dropout is better than baseline in test accuracy: +0.85 points (95% CI [+0.61, +1.09]; "
        "p = 0.00090, adjusted for 3 tests; 10 pairs)."
    )
    secondary = verdict(replace(DIFFERENCE, metric="test_loss"), is_primary=False).sentence
    assert "in test loss (secondary)" in secondary
    assert "99.5% CI" in verdict(replace(DIFFERENCE, confidence=0.995)).sentence


def test_the_adjusted_p_value_decides() -> None:
    difference = replace(DIFFERENCE, p_value=0.02, p_adjusted=0.06, num_tests=3)
    found = verdict(difference)
    assert found.word is VerdictWord.UNDECIDED
    assert "Significant on its own, but not after correction for 3 tests." in found.sentence
    assert verdict(replace(difference, p_adjusted=0.05)).word is VerdictWord.BETTER
    assert verdict(replace(difference, confidence=0.9)).word is VerdictWord.BETTER


def test_what_lies_within_the_margin_is_equivalent_even_where_it_is_significant() -> None:
    difference = replace(
        DIFFERENCE,
        mean_difference=0.0005,
        adjusted_ci_low=0.0002,
        adjusted_ci_high=0.0008,
        equivalence_p_adjusted=0.01,
    )
    found = verdict(difference)
    assert found.word is VerdictWord.EQUIVALENT
    assert "within ±0.20 points" in found.sentence
    assert "Significant, but smaller than the margin." in found.sentence
    assert "Significant" not in verdict(replace(difference, p_adjusted=0.3)).sentence


def test_undecided_says_how_many_seeds_are_needed() -> None:
    difference = replace(DIFFERENCE, mean_difference=0.001, p_value=0.3, p_adjusted=0.6, num_tests=2)
    found = verdict(difference)
    assert found.word is VerdictWord.UNDECIDED
    assert found.seeds_needed == seeds_to_decide(0.001, 0.003, margin=0.002, sd_degrees=9, num_comparisons=2)
    assert f"about {found.seeds_needed} seeds are needed (80% power)" in found.sentence
    never = verdict(replace(difference, mean_difference=0.0, margin=None))
    assert never.seeds_needed is None
    assert "more than 10,000 seeds" in never.sentence
    secondary = verdict(difference, is_primary=False)
    assert secondary.seeds_needed is None
    assert "needed" not in secondary.sentence


def test_many_seeds_are_rounded_to_two_digits() -> None:
    difference = replace(DIFFERENCE, mean_difference=0.0003, margin=None, p_value=0.6, p_adjusted=0.6)
    found = verdict(difference)
    assert found.seeds_needed == seeds_to_decide(0.0003, 0.003, margin=None, sd_degrees=9)
    assert f"about {round(found.seeds_needed, -1):,} seeds" in found.sentence


def test_seeds_needed_are_more_than_there_are() -> None:
    lucky = replace(DIFFERENCE, n=5, p_value=0.0625, p_adjusted=0.0625, sd_difference=0.001)
    assert verdict(lucky, method=Method.WILCOXON).seeds_needed == 6
    constant = replace(lucky, mean_difference=0.01, sd_difference=0.0)
    assert verdict(constant).seeds_needed == 6


@pytest.mark.parametrize("n", [0, 1])
def test_too_few_seeds_are_undecided(n: int) -> None:
    nothing = dict.fromkeys(
        (
            "sd_difference",
            "adjusted_ci_low",
            "adjusted_ci_high",
            "p_value",
            "p_adjusted",
            "equivalence_p_adjusted",
        ),
        math.nan,
    )
    found = verdict(replace(DIFFERENCE, n=n, **nothing))
    assert found.word is VerdictWord.UNDECIDED
    assert found.seeds_needed is None
    assert ("plan" in found.sentence) == (n == 1)


def test_fewer_seeds_than_planned_give_an_estimate_and_no_verdict() -> None:
    standing = replace(STANDING, stage=Stage.INTERIM, num_seeds=4)
    found = verdict(replace(DIFFERENCE, n=4), standing)
    assert found.word is VerdictWord.INTERIM
    assert found.sentence == (
        "dropout vs baseline, test accuracy: interim, +0.85 points (95% CI [+0.61, +1.09]) after 4 of 10 "
        "planned seeds. No verdict yet."
    )
    single = verdict(replace(DIFFERENCE, n=1), replace(standing, num_seeds=1)).sentence
    assert "interim, +0.85 points after 1 of 10 planned seeds" in single


def test_added_seeds_are_named_with_the_error_rate_of_what_was_done() -> None:
    standing = replace(STANDING, stage=Stage.EXTENDED, planned=5, looks=(5, 7, 10), error_rate=0.0912)
    sentence = verdict(DIFFERENCE, standing).sentence
    assert "Seeds were added after a test with 5, 7 of now 10 seeds." in sentence
    assert "false verdict in this procedure is 9.1%, not 5%." in sentence


def test_an_undecided_sequential_design_goes_to_its_end() -> None:
    undecided = replace(DIFFERENCE, p_value=0.2, p_adjusted=0.2)
    design = Design(first=5, most=30)
    standing = replace(STANDING, stage=Stage.SEQUENTIAL, design=design, planned=30)
    found = verdict(undecided, standing)
    assert "10 of at most 30 seeds are finished; `dropout-lab run SPEC` continues." in found.sentence
    assert found.seeds_needed is None
    assert "ends here" in verdict(undecided, replace(standing, num_seeds=30)).sentence
