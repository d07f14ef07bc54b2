"""Turn test results into verdicts and sentences."""

import math

from dropout_lab.comparison.measured_seeds import rounded_seeds, seeds_as_measured
from dropout_lab.comparison.results import Difference, Verdict, VerdictWord
from dropout_lab.comparison.standing import Stage, Standing
from dropout_lab.evaluation.metrics import (
    format_count,
    format_difference,
    format_interval,
    format_p,
    format_percent,
    metric_info,
)
from dropout_lab.statistics.methods import Method
from dropout_lab.statistics.power import DEFAULT_POWER


def verdict_word(difference: Difference, standing: Standing | None = None) -> VerdictWord:
    """Return the verdict on one difference, from its adjusted p-values.

    Equivalent: both one-sided tests against the margin hold. Otherwise better or worse: the difference is
    significant. Equivalence goes first because a difference within the margin is too small to matter, even
    if it is significant. Without a standing the seeds are those that were planned.
    """
    if difference.n and standing is not None and standing.stage is Stage.INTERIM:
        return VerdictWord.INTERIM
    alpha = 1 - difference.confidence
    if difference.equivalence_p_adjusted <= alpha:
        return VerdictWord.EQUIVALENT
    if not difference.p_adjusted <= alpha:  # NaN too: no test, no verdict
        return VerdictWord.UNDECIDED
    return _direction(difference)


def judge(
    difference: Difference, standing: Standing, *, is_primary: bool = True, method: Method = Method.T
) -> Verdict:
    """Judge one difference, in a word and in a sentence.

    Args:
        difference: With its adjusted p-values.
        standing: Where the condition stands in its design.
        is_primary: Whether the metric is the primary one.
        method: The test in use, for the number of seeds needed.
    """
    word = verdict_word(difference, standing)
    wants_seeds = is_primary and word is VerdictWord.UNDECIDED and standing.stage is not Stage.SEQUENTIAL
    seeds_needed = _seeds_needed(difference, method) if wants_seeds else None
    sentence, statement = _worded(difference, standing, word, is_primary, seeds_needed)
    return Verdict(
        condition=difference.condition,
        reference=difference.reference,
        metric=difference.metric,
        word=word,
        is_primary=is_primary,
        seeds_needed=seeds_needed,
        sentence=sentence,
        statement=statement,
    )


def _direction(difference: Difference) -> VerdictWord:
    higher, metric = difference.mean_difference > 0, metric_info(difference.metric)
    if metric.is_gap and min(difference.mean, difference.reference_mean) >= 0:
        return VerdictWord.WIDER if higher else VerdictWord.NARROWER
    if metric.higher_is_better is None:
        return VerdictWord.HIGHER if higher else VerdictWord.LOWER
    return VerdictWord.BETTER if higher == metric.higher_is_better else VerdictWord.WORSE


def _seeds_needed(difference: Difference, method: Method) -> int | None:
    needed = seeds_as_measured(
        difference.mean_difference,
        difference.sd_difference,
        difference.n,
        margin=difference.margin,
        confidence=difference.confidence,
        num_comparisons=difference.num_tests,
        paired=difference.paired,
        method=method,
    )
    return None if needed is None else max(needed, difference.n + 1)  # so many have decided nothing


def _worded(
    difference: Difference,
    standing: Standing,
    word: VerdictWord,
    is_primary: bool,
    seeds_needed: int | None,
) -> tuple[str, str]:
    """Return the verdict as a sentence, and what the sentence says besides the word."""
    metric, condition, reference = difference.metric, difference.condition, difference.reference
    label = metric_info(metric).label if is_primary else f"{metric_info(metric).label} (secondary)"
    subject = f"{condition} vs {reference}, {label}"
    shown = format_difference(metric, difference.mean_difference)
    if difference.n == 0:
        return f"{subject}: undecided (no data).", f"{subject}: no data."
    if word is VerdictWord.INTERIM:
        interim = _interim(difference, standing)
        return f"{subject}: interim, {interim}", f"{subject}: {interim}"
    if difference.n == 1:
        advice = (
            "One seed per condition is not enough for a test. "
            "`dropout-lab plan SPEC` estimates how many you need."
        )
        return f"{subject}: undecided ({shown}). {advice}", f"{subject}: {shown}. {advice}"
    evidence, more = _evidence(difference), _extended(standing, difference)
    statement = f"{subject}: {evidence}."
    if word is VerdictWord.EQUIVALENT:
        within = f"within ±{format_difference(metric, difference.margin or 0.0, sign=False)}"
        sentence = f"{condition} is equivalent to {reference} in {label}, {within}: {evidence}."
        statement = f"{subject}, {within}: {evidence}."
        if difference.p_adjusted <= 1 - difference.confidence:
            more = f" Significant, but smaller than the margin.{more}"
    elif word is VerdictWord.UNDECIDED:
        sentence = f"{subject}: undecided, {evidence}."
        more = f"{_undecided(difference, standing, is_primary, seeds_needed)}{more}"
    elif word in (VerdictWord.NARROWER, VerdictWord.WIDER):
        sentence = f"{label} of {condition} is {word} than that of {reference}: {evidence}."
        sentence = sentence[0].upper() + sentence[1:]
    else:
        sentence = f"{condition} is {word} than {reference} in {label}: {evidence}."
    return f"{sentence}{more}", f"{statement}{more}"


def _evidence(difference: Difference) -> str:
    metric = difference.metric
    counted = (
        format_count(difference.n, "pair")
        if difference.paired
        else f"unpaired, at least {format_count(difference.n, 'seed')} per condition"
    )
    adjusted = f", adjusted for {difference.num_tests} tests" if difference.num_tests > 1 else ""
    interval = _interval(difference)
    return (
        f"{format_difference(metric, difference.mean_difference)} "
        f"({f'{interval}; ' if interval else ''}{format_p(difference.p_adjusted)}{adjusted}; {counted})"
    )


def _interval(difference: Difference) -> str:
    """Return ``95% CI [+0.61, +1.09]``; empty if there are too few values for an interval."""
    shown = format_interval(difference.metric, difference.adjusted_ci_low, difference.adjusted_ci_high)
    return "" if shown == "-" else f"{format_percent(difference.confidence)} CI {shown}"


def _interim(difference: Difference, standing: Standing) -> str:
    metric = difference.metric
    interval = _interval(difference) if difference.n > 1 else ""
    return (
        f"{format_difference(metric, difference.mean_difference)}"
        f"{f' ({interval})' if interval else ''} after "
        f"{standing.num_seeds} of {format_count(standing.planned, 'planned seed')}. No verdict yet."
    )


def _undecided(difference: Difference, standing: Standing, is_primary: bool, seeds_needed: int | None) -> str:
    alone = difference.p_value <= 1 - difference.confidence
    text = ""
    if alone and difference.num_tests > 1:
        text = f" Significant on its own, but not after correction for {difference.num_tests} tests."
    if not is_primary:
        return text
    if standing.stage is Stage.SEQUENTIAL:
        if standing.num_seeds >= standing.planned:
            return f"{text} The sequential design ends here."
        return (
            f"{text} {standing.num_seeds} of at most {standing.planned} seeds are finished; "
            "`dropout-lab run SPEC` continues."
        )
    if seeds_needed is None:
        return f"{text} If the true difference equals the measured one, more than 10,000 seeds are needed."
    return (
        f"{text} If the true difference equals the measured one, about {rounded_seeds(seeds_needed):,} seeds "
        f"are needed ({format_percent(DEFAULT_POWER)} power)."
    )


def _extended(standing: Standing, difference: Difference) -> str:
    if standing.stage is not Stage.EXTENDED:
        return ""
    looks = ", ".join(map(str, standing.looks[:-1]))
    rate = ""
    if not math.isnan(standing.error_rate):
        rate = (
            f" The probability of a false verdict in this procedure is "
            f"{format_percent(standing.error_rate, 2)}, not {format_percent(1 - difference.confidence)}."
        )
    return f" Seeds were added after a test with {looks} of now {standing.looks[-1]} seeds.{rate}"
