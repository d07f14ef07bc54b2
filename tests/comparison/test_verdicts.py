import math
from dataclasses import replace

import pytest

from dropout_lab.comparison.results import Difference, VerdictWord
from dropout_lab.comparison.verdicts import judge
from dropout_lab.statistics.methods import Method
from dropout_lab.statistics.power import seeds_to_decide

DIFFERENCE = Difference(
    condition="dropout",
    reference="baseline",
    metric="test_accuracy",
    n=10,
    paired=True,
    mean_difference=0.0085,
    sd_difference=0.003,
    ci_low=0.0061,
    ci_high=0.0109,
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


@pytest.mark.parametrize(
    ("metric", "mean_difference", "word"),
    [
        ("test_accuracy", 0.01, VerdictWord.BETTER),
        ("test_accuracy", -0.01, VerdictWord.WORSE),
        ("test_loss", 0.01, VerdictWord.WORSE),
        ("test_loss", -0.01, VerdictWord.BETTER),
        ("generalization_gap", -0.01, VerdictWord.BETTER),
        ("test_brier", 0.01, VerdictWord.WORSE),
        ("test_ece", -0.01, VerdictWord.BETTER),
        ("sharpness", 0.01, VerdictWord.HIGHER),
        ("sharpness", -0.01, VerdictWord.LOWER),
    ],
)
def test_better_is_the_metrics_own_direction(metric: str, mean_difference: float, word: VerdictWord) -> None:
    difference = replace(DIFFERENCE, metric=metric, mean_difference=mean_difference)
    verdict = judge(difference, num_comparisons=1)
    assert verdict.word is word
    assert verdict.seeds_needed is None
    assert f"dropout is {word} than baseline" in verdict.sentence


def test_the_sentence_gives_difference_interval_p_value_and_pairs() -> None:
    assert judge(DIFFERENCE, num_comparisons=3).sentence == (
        "dropout is better than baseline in test accuracy: +0.85 points (95 % interval +0.61 to +1.09; "
        "p = 0.0009, Holm over 3; 10 pairs)."
    )


def test_the_adjusted_p_value_decides() -> None:
    difference = replace(DIFFERENCE, p_value=0.02, p_adjusted=0.06)
    verdict = judge(difference, num_comparisons=3)
    assert verdict.word is VerdictWord.UNDECIDED
    assert "On its own it would count" in verdict.sentence
    assert judge(replace(difference, p_adjusted=0.05), num_comparisons=3).word is VerdictWord.BETTER
    assert judge(replace(difference, confidence=0.9), num_comparisons=3).word is VerdictWord.BETTER


def test_what_lies_within_the_margin_is_equivalent_even_where_it_is_significant() -> None:
    difference = replace(
        DIFFERENCE, mean_difference=0.0005, ci_low=0.0002, ci_high=0.0008, equivalence_p_adjusted=0.01
    )
    verdict = judge(difference, num_comparisons=1)
    assert verdict.word is VerdictWord.EQUIVALENT
    assert "within ±0.20 points" in verdict.sentence
    assert "too small to matter" in verdict.sentence
    assert "too small" not in judge(replace(difference, p_adjusted=0.3), num_comparisons=1).sentence


def test_undecided_says_how_many_seeds_would_decide() -> None:
    difference = replace(DIFFERENCE, mean_difference=0.001, p_value=0.3, p_adjusted=0.6)
    verdict = judge(difference, num_comparisons=2)
    assert verdict.word is VerdictWord.UNDECIDED
    assert verdict.seeds_needed == seeds_to_decide(0.001, 0.003, margin=0.002, num_comparisons=2)
    assert f"About {verdict.seeds_needed} seeds would decide it (power 0.8" in verdict.sentence
    never = judge(replace(difference, mean_difference=0.0, margin=None), num_comparisons=1)
    assert never.seeds_needed is None
    assert "More than 10,000 seeds" in never.sentence


def test_seeds_needed_are_more_than_there_are() -> None:
    lucky = replace(DIFFERENCE, n=5, p_value=0.0625, p_adjusted=0.0625, sd_difference=0.001)
    assert judge(lucky, num_comparisons=1, method=Method.WILCOXON).seeds_needed == 6
    constant = replace(lucky, mean_difference=0.01, sd_difference=0.0)
    assert judge(constant, num_comparisons=1).seeds_needed == 6


@pytest.mark.parametrize("n", [0, 1])
def test_too_few_seeds_are_undecided(n: int) -> None:
    nothing = dict.fromkeys(
        ("sd_difference", "ci_low", "ci_high", "p_value", "p_adjusted", "equivalence_p_adjusted"), math.nan
    )
    verdict = judge(replace(DIFFERENCE, n=n, **nothing), num_comparisons=1)
    assert verdict.word is VerdictWord.UNDECIDED
    assert verdict.seeds_needed is None
    assert ("plan" in verdict.sentence) == (n == 1)
