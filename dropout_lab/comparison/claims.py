"""Judges claims that were stated before the runs, each by one-sided bounds."""

import math
from collections.abc import Iterable, Sequence

import numpy as np

from dropout_lab.comparison.results import ClaimResult, ClaimStatus
from dropout_lab.comparison.selection import Selection, metric_values, paired_seeds
from dropout_lab.evaluation.metrics import format_difference, format_interval, metric_info
from dropout_lab.records import Claim, RunRecord
from dropout_lab.statistics.difference import one_sided_bounds


def judge_claims(
    claims: Sequence[Claim], selection: Selection, *, confidence: float = 0.95
) -> tuple[ClaimResult, ...]:
    """Judge each claim on its own.

    A one-sided claim is supported where the bound on its side lies beyond the margin, and refuted where
    the opposite bound falls short of it: each errs with a probability of at most 1 - confidence.
    Equivalence is supported where both bounds lie within the margin (two one-sided tests), and refuted
    where one lies beyond.

    Args:
        claims: As the spec states them now.
        selection: The runs that count.
        confidence: Of each one-sided bound.

    Returns:
        A claim about a condition that has no runs here is undecided.
    """
    return tuple(_judge(claim, selection, confidence) for claim in claims)


def _judge(claim: Claim, selection: Selection, confidence: float) -> ClaimResult:
    condition_runs = selection.runs.get(claim.condition, {})
    reference_runs = selection.runs.get(claim.reference, {})
    by_seed, _ = metric_values(condition_runs, claim.metric)
    reference_by_seed, _ = metric_values(reference_runs, claim.metric)
    shared = paired_seeds(by_seed, reference_by_seed)
    values = np.array([by_seed[seed] for seed in shared or by_seed])
    reference = np.array([reference_by_seed[seed] for seed in shared or reference_by_seed])
    n = min(len(values), len(reference))
    mean = float(np.mean(values) - np.mean(reference)) if n else math.nan
    low, high = one_sided_bounds(values, reference, paired=bool(shared), confidence=confidence)
    status = _status(claim, low, high)
    changed = _was_changed(claim, (*condition_runs.values(), *reference_runs.values()))
    return ClaimResult(
        claim=claim,
        status=status,
        n=n,
        mean_difference=mean,
        ci_low=low,
        ci_high=high,
        confidence=confidence,
        changed=changed,
        sentence=_sentence(claim, status, n, mean, low, high, confidence, changed),
    )


def _status(claim: Claim, low: float, high: float) -> ClaimStatus:
    # Comparisons with NaN are false: too few seeds leave every claim undecided.
    margin = claim.margin
    if claim.expected == "lower":
        supported, refuted = high < -margin, low > -margin
    elif claim.expected == "higher":
        supported, refuted = low > margin, high < margin
    else:
        supported, refuted = -margin < low and high < margin, low > margin or high < -margin
    if supported:
        return ClaimStatus.SUPPORTED
    return ClaimStatus.REFUTED if refuted else ClaimStatus.UNDECIDED


def _was_changed(claim: Claim, runs: Iterable[RunRecord]) -> bool:
    return any(claim.fingerprint not in run.claims_fingerprint.split(",") for run in runs)


def _sentence(
    claim: Claim,
    status: ClaimStatus,
    n: int,
    mean: float,
    low: float,
    high: float,
    confidence: float,
    changed: bool,
) -> str:
    margin = format_difference(claim.metric, claim.margin, sign=False)
    label = metric_info(claim.metric).label
    if claim.expected == "equivalent":
        stated = f"{label} of {claim.condition} is equivalent to that of {claim.reference}, within {margin}"
    else:
        least = f" by at least {margin}" if claim.margin else ""
        stated = f"{label} of {claim.condition} is {claim.expected} than that of {claim.reference}{least}"
    if n < 2:
        evidence = f"{n} seeds in this comparison are too few"
    elif not math.isfinite(low):
        evidence = (
            f"{format_difference(claim.metric, mean)}, without any spread over {n} seeds to judge it by"
        )
    else:
        evidence = (
            f"{format_difference(claim.metric, mean)}, one-sided {100 * confidence:g} % bounds "
            f"{format_interval(claim.metric, low, high)}, {n} seeds"
        )
    flag = " This claim was not stated as it reads now when its runs were made." if changed else ""
    return f"{status.value}: {stated} ({evidence}).{flag}"
