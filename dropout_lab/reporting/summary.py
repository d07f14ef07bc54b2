"""The summary of a comparison, for readers who read nothing else: question, decision, evidence and limits."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC
from math import isfinite

from dropout_lab.comparison.findings import FindingKind
from dropout_lab.comparison.results import Comparison, Difference, Verdict, VerdictWord
from dropout_lab.comparison.selection import format_seeds
from dropout_lab.comparison.sensitivity import sensitivity
from dropout_lab.evaluation.metrics import (
    format_count,
    format_difference,
    format_duration,
    format_interval,
    format_percent,
    metric_info,
)
from dropout_lab.statistics.power import DEFAULT_POWER

FEW_SEEDS = 5
"""With fewer, a summary says so: a t interval of 5 seeds is already 1.4 times as wide as with 100."""

NOBODY = {"", "root", "unknown"}
"""Users that are no person: containers have them."""

MAX_ANSWERS = 3
"""With more conditions to compare, a summary groups them by what follows from the verdicts."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The answer for one condition.

    Attributes:
        verdict: The verdict on the primary metric, with its interval.
        decision: What follows from it.
        changes: What would change it, one sentence each.
    """

    verdict: Verdict
    decision: str
    changes: tuple[str, ...]

    @property
    def parts(self) -> tuple[str, str, str]:
        """The sentence of the verdict before, at and after its word; all before if it lacks the word."""
        sentence, word = self.verdict.sentence, self.verdict.word.value
        found = re.search(rf"(?: is |: )({word})\b", sentence)
        return (sentence[: found.start(1)], word, sentence[found.end(1) :]) if found else (sentence, "", "")


@dataclass(frozen=True, kw_only=True)
class AnswerGroup:
    """Conditions with the same verdict, from which the same follows.

    Attributes:
        word: The verdict.
        decision: What follows from it.
        members: Each condition with its difference and interval.
    """

    word: str
    decision: str
    members: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What the first screen of a report says.

    Attributes:
        description: What the spec says of the study; empty if it says nothing, or the runs differ in it.
        question: What was asked, in one sentence.
        answers: One per condition but the reference.
        groups: The answers by verdict, if there are more than 3.
        evidence: Runs, who started them, dates and training time, in one line.
        limits: What the answers do not cover, one sentence each.
    """

    description: str
    question: str
    answers: tuple[Answer, ...]
    groups: tuple[AnswerGroup, ...]
    evidence: str
    limits: tuple[str, ...]


def summarize(comparison: Comparison) -> Summary:
    """Return the summary of `comparison`."""
    answers = tuple(
        Answer(
            verdict=one,
            decision=_decision(one, comparison.difference(one.condition, one.metric)),
            changes=tuple(_changes(comparison, one)),
        )
        for one in comparison.verdicts
        if one.is_primary
    )
    return Summary(
        description=_description(comparison),
        question=_question(comparison),
        answers=answers,
        groups=_groups(comparison, answers) if len(answers) > MAX_ANSWERS else (),
        evidence=_evidence(comparison),
        limits=tuple(_limits(comparison)),
    )


def _groups(comparison: Comparison, answers: Iterable[Answer]) -> tuple[AnswerGroup, ...]:
    """Return the answers by verdict and decision, in the order of verdicts."""
    members: dict[tuple[VerdictWord, str], list[str]] = {}
    for answer in answers:
        verdict = answer.verdict
        one = comparison.difference(verdict.condition, verdict.metric)
        key = verdict.word, _decision(verdict, one, subject="these")
        interval = format_interval(one.metric, one.adjusted_ci_low, one.adjusted_ci_high)
        shown = format_difference(one.metric, one.mean_difference)
        members.setdefault(key, []).append(f"{verdict.condition} {shown} {interval}".removesuffix(" -"))
    order = list(VerdictWord)
    return tuple(
        AnswerGroup(word=word.value, decision=decision, members=tuple(own))
        for (word, decision), own in sorted(members.items(), key=lambda item: order.index(item[0][0]))
    )


def _description(comparison: Comparison) -> str:
    descriptions = {run.description for run in comparison.runs}
    return " ".join(descriptions.pop().split()) if len(descriptions) == 1 else ""


def _question(comparison: Comparison) -> str:
    others, label = comparison.conditions[1:], metric_info(comparison.primary).label
    if not others:
        return f"What is the {label} of {comparison.reference}?"
    if len(others) == 1:
        return f"Does {others[0]} change the {label} compared with {comparison.reference}?"
    if len(others) > MAX_ANSWERS:
        return f"Which of {len(others)} conditions change the {label} compared with {comparison.reference}?"
    return f"Which of {', '.join(others)} change the {label} compared with {comparison.reference}?"


def _decision(verdict: Verdict, difference: Difference, *, subject: str = "") -> str:
    """Return what follows from a verdict on `subject`, by default its condition."""
    word, condition, reference = verdict.word, subject or verdict.condition, verdict.reference
    label = metric_info(verdict.metric).label
    if word is VerdictWord.INTERIM:
        return "No decision yet: finish the planned seeds first."
    if word is VerdictWord.EQUIVALENT:
        return f"The choice between {condition} and {reference} does not matter for {label}."
    if word is VerdictWord.UNDECIDED:
        return "No decision: these runs support neither a difference nor equivalence."
    favored = {VerdictWord.BETTER: f"Favors {condition}", VerdictWord.WORSE: f"Favors {reference}"}
    return f"{favored.get(word, f'The {label} differs')}{_beyond_margin(difference)}."


def _beyond_margin(difference: Difference) -> str:
    """Return whether the interval shows that a difference is large enough to matter."""
    if difference.margin is None:
        return ""
    smallest = min(abs(difference.adjusted_ci_low), abs(difference.adjusted_ci_high))
    margin = f"±{format_difference(difference.metric, difference.margin, sign=False)}"
    if smallest > difference.margin:
        return f", by more than the equivalence margin of {margin}"
    return f", but the true difference may be smaller than the equivalence margin of {margin}"


def _changes(comparison: Comparison, verdict: Verdict) -> Iterable[str]:
    """Yield at which margin the verdict would be another, and what so many seeds can find."""
    difference = comparison.difference(verdict.condition, verdict.metric)
    found = sensitivity(comparison, difference)
    if found is None or verdict.word is VerdictWord.INTERIM:
        return
    margin, detectable = (
        format_difference(verdict.metric, one, sign=False)
        for one in (found.equivalence_margin, found.detectable)
    )
    if verdict.word is VerdictWord.EQUIVALENT:
        yield f"With an equivalence margin below ±{margin} it would not be equivalent."
    elif isfinite(found.equivalence_margin):
        yield f"With an equivalence margin of ±{margin} or more it would be equivalent."
    if isfinite(found.detectable):
        yield (
            f"With {format_count(difference.n, 'seed')}, true differences of ±{detectable} or more are found "
            f"({format_percent(DEFAULT_POWER)} power)."
        )


def _evidence(comparison: Comparison) -> str:
    runs = comparison.runs
    dates = sorted({run.start_time.astimezone(UTC).strftime("%Y-%m-%d") for run in runs if run.versions})
    seconds = sum(run.metrics.get("train_seconds", 0.0) for run in runs)
    users = sorted({run.user for run in runs} - NOBODY)
    parts = [
        f"{format_count(len(runs), 'run')}, seeds {format_seeds({run.seed for run in runs})}",
        *([f"started by {' and '.join(users)}"] if users else []),
        *([dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"] if dates else []),
        *([f"{format_duration(seconds)} of training"] if seconds else []),
    ]
    return ", ".join(parts)


def _limits(comparison: Comparison) -> Iterable[str]:
    """Yield what a reader must know before relying on the answers, the gravest first."""
    yield from (one.sentence for one in comparison.findings if one.kind is FindingKind.CAUTION)
    if comparison.runs and not any(run.spec for run in comparison.runs):
        yield "Nothing is known of how these scores were made."
    few = min((one.num_seeds for one in comparison.standings), default=FEW_SEEDS)
    if few < FEW_SEEDS:
        yield f"Few seeds: only {format_count(few, 'seed')} per condition."
    if any(not one.paired and one.n for one in comparison.differences):
        yield "The runs are not paired by seed."
    spec = comparison.runs[0].spec if comparison.runs else {}
    reduced = [
        f"{int(spec[key]):,} {part}"
        for part, key in (("training", "data.num_train"), ("test", "data.num_test"))
        if spec.get(key, "").isdecimal()
    ]
    if reduced:
        yield f"Reduced data: {' and '.join(reduced)} examples."
    if spec.get("data.validation") == "test":
        yield "The test set served as validation set; nothing was selected with it."
    if comparison.differences and spec.get("data.resample") != "True":
        yield "Intervals cover the variation between seeds; other data and networks may give other results."
