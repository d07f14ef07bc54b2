"""From a tested difference to the word and the sentence that a person takes away."""

import math

from dropout_lab.comparison.results import Difference, Verdict, VerdictWord
from dropout_lab.evaluation.metrics import (
    format_difference,
    format_interval,
    format_p,
    metric_info,
)
from dropout_lab.statistics.methods import Method
from dropout_lab.statistics.power import DEFAULT_POWER, seeds_to_decide


def verdict_word(difference: Difference) -> VerdictWord:
    """Return the verdict on one difference, from its p-values with Holm's correction over the conditions.

    Equivalent: both one-sided tests against the margin hold. Else better or worse: the difference is
    significant. So in at most 1 - confidence of comparisons any condition without an effect is called
    better or worse. Equivalence goes first because the margin is what is too small to matter: a
    difference can be significant and still lie within it.
    """
    alpha = 1 - difference.confidence
    if difference.equivalence_p_adjusted <= alpha:
        return VerdictWord.EQUIVALENT
    if not difference.p_adjusted <= alpha:  # NaN too: without a test nothing is decided
        return VerdictWord.UNDECIDED
    return _direction(difference)


def judge(difference: Difference, *, num_comparisons: int, method: Method = Method.T) -> Verdict:
    """Judge one difference, in a word and in a sentence.

    Args:
        difference: With its adjusted p-values.
        num_comparisons: Conditions compared with the reference, for the number of seeds needed.
        method: The test in use, for the same.
    """
    word = verdict_word(difference)
    undecided = word is VerdictWord.UNDECIDED
    seeds_needed = _seeds_needed(difference, num_comparisons, method) if undecided else None
    return Verdict(
        condition=difference.condition,
        reference=difference.reference,
        metric=difference.metric,
        word=word,
        seeds_needed=seeds_needed,
        sentence=_sentence(difference, word, seeds_needed, num_comparisons),
    )


def _direction(difference: Difference) -> VerdictWord:
    higher = difference.mean_difference > 0
    higher_is_better = metric_info(difference.metric).higher_is_better
    if higher_is_better is None:
        return VerdictWord.HIGHER if higher else VerdictWord.LOWER
    return VerdictWord.BETTER if higher == higher_is_better else VerdictWord.WORSE


def _seeds_needed(difference: Difference, num_comparisons: int, method: Method) -> int | None:
    if math.isnan(difference.sd_difference):
        return None
    needed = seeds_to_decide(
        difference.mean_difference,
        difference.sd_difference,
        margin=difference.margin,
        alpha=1 - difference.confidence,
        num_comparisons=num_comparisons,
        paired=difference.paired,
        # A difference that does not vary is judged by its signs.
        method=method if difference.sd_difference else Method.SIGN_FLIP,
    )
    return None if needed is None else max(needed, difference.n + 1)


def _sentence(
    difference: Difference,
    word: VerdictWord,
    seeds_needed: int | None,
    num_comparisons: int,
) -> str:
    metric, condition, reference = difference.metric, difference.condition, difference.reference
    label = metric_info(metric).label
    if difference.n == 0:
        return f"{condition} against {reference} in {label}: undecided, for want of figures to compare."
    shown = format_difference(metric, difference.mean_difference)
    if difference.n == 1:
        return (
            f"{condition} against {reference} in {label}: undecided ({shown}). One seed shows no spread: "
            "train more, `dropout-lab plan` says how many."
        )
    interval = format_interval(metric, difference.ci_low, difference.ci_high)
    level = f"{100 * difference.confidence:g} % interval"
    counted = (
        f"{difference.n} pairs" if difference.paired else f"unpaired, at least {difference.n} seeds each"
    )
    corrected = f", Holm over {num_comparisons}" if num_comparisons > 1 else ""
    evidence = f"{shown} ({level} {interval}; {format_p(difference.p_adjusted)}{corrected}; {counted})"
    if word is VerdictWord.EQUIVALENT:
        within = format_difference(metric, difference.margin or 0.0, sign=False)
        sentence = f"{condition} is equivalent to {reference} in {label}, within ±{within}: {evidence}."
        seen = difference.p_adjusted <= 1 - difference.confidence
        return f"{sentence} There is a difference, too small to matter." if seen else sentence
    if word is not VerdictWord.UNDECIDED:
        return f"{condition} is {word} than {reference} in {label}: {evidence}."
    sentence = f"{condition} against {reference} in {label}: undecided, {evidence}."
    alone = difference.p_value <= 1 - difference.confidence
    if alone and num_comparisons > 1:
        sentence += " On its own it would count, but not as one of several comparisons."
    if seeds_needed is None:
        return f"{sentence} More than 10,000 seeds would be needed to decide it."
    return (
        f"{sentence} About {seeds_needed} seeds would decide it "
        f"(power {DEFAULT_POWER:g}, were difference and noise as measured)."
    )
