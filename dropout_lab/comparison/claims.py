"""Test claims that were stated before the runs, each by one-sided bounds."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from dropout_lab.comparison.selection import Selection, metric_values
from dropout_lab.comparison.standing import Stage, Standing, find_standing
from dropout_lab.evaluation.metrics import (
    format_count,
    format_difference,
    format_interval,
    format_percent,
    metric_info,
)
from dropout_lab.records import Claim, RunRecord
from dropout_lab.seeds import generator
from dropout_lab.statistics.claims import ClaimTest, check_claim
from dropout_lab.statistics.difference import shift_test
from dropout_lab.statistics.methods import Method
from dropout_lab.statistics.sequential import nominal_level


class ClaimStatus(StrEnum):
    """Result of a claim's test. INTERIM: fewer seeds than planned, so no result."""

    SUPPORTED = "supported"
    REFUTED = "refuted"
    UNDECIDED = "undecided"
    INTERIM = "interim"


@dataclass(frozen=True, kw_only=True)
class ClaimResult:
    """A claim and its result.

    Attributes:
        n: Number of pairs; of unpaired runs, the smaller of the two numbers of seeds.
        mean_difference: Condition minus reference.
        ci_low, ci_high: The two one-sided bounds, each at `confidence`.
        confidence: Level of each bound, adjusted for the number of claims.
        changed: The claim was added or changed after the runs of its condition.
    """

    claim: Claim
    status: ClaimStatus
    n: int
    mean_difference: float
    ci_low: float
    ci_high: float
    confidence: float
    changed: bool
    sentence: str


def judge_claims(
    claims: Sequence[Claim], selection: Selection, *, confidence: float = 0.95, method: Method = Method.T
) -> tuple[ClaimResult, ...]:
    """Test claims by one-sided bounds at a level adjusted for their number (Bonferroni).

    A one-sided claim is supported if the bound on its side lies beyond the margin, and refuted if the
    opposite bound falls short of it. Equivalence is supported if both bounds lie within the margin (two
    one-sided tests). With a probability of at least `confidence` no claim is wrongly supported, and none is
    wrongly refuted; in a sequential design this holds over all looks.

    Args:
        claims: The claims.
        selection: Included runs of all conditions.
        confidence: Level over all claims together.
        method: How differences are tested.

    Returns:
        One result per claim; a claim about a condition without runs is undecided.
    """
    return tuple(_judge(claim, selection, confidence, len(claims), method) for claim in claims)


def _judge(
    claim: Claim, selection: Selection, confidence: float, num_claims: int, method: Method
) -> ClaimResult:
    condition_runs = selection.runs.get(claim.condition, {})
    reference_runs = selection.runs.get(claim.reference, {})
    by_seed, _ = metric_values(condition_runs, claim.metric)
    reference_by_seed, _ = metric_values(reference_runs, claim.metric)
    standing = find_standing(claim.condition, condition_runs, reference_runs).in_metric(
        claim.metric, condition_runs, reference_runs
    )
    shared = standing.tested_seeds(by_seed, reference_by_seed)
    values = np.array([by_seed[seed] for seed in shared or by_seed])
    reference = np.array([reference_by_seed[seed] for seed in shared or reference_by_seed])
    n = min(len(values), len(reference))
    mean = float(np.mean(values) - np.mean(reference)) if n else math.nan
    alpha = (1 - confidence) / num_claims
    design = standing.sequential_design
    if design is not None:
        alpha = nominal_level(design, alpha, one_sided=True)
    status, low, high = ClaimStatus.UNDECIDED, math.nan, math.nan
    if n >= (design.first if design is not None else 2):
        rng = generator(0, "bootstrap", claim.metric)
        test = shift_test(values, reference, paired=bool(shared), method=method, rng=rng)
        status = _status(check_claim(test, claim.expected, claim.margin), alpha)
        low, high = test.lower(alpha), test.upper(alpha)
    if n and standing.stage is Stage.INTERIM:
        status = ClaimStatus.INTERIM
    changed = _was_changed(claim, condition_runs.values())
    return ClaimResult(
        claim=claim,
        status=status,
        n=n,
        mean_difference=mean,
        ci_low=low,
        ci_high=high,
        confidence=1 - alpha,
        changed=changed,
        sentence=_sentence(claim, status, n, standing, mean, low, high, 1 - alpha, changed),
    )


def _status(test: ClaimTest, alpha: float) -> ClaimStatus:
    if test.supported_p <= alpha:
        return ClaimStatus.SUPPORTED
    return ClaimStatus.REFUTED if test.refuted_p <= alpha else ClaimStatus.UNDECIDED


def _was_changed(claim: Claim, runs: Iterable[RunRecord]) -> bool:
    """Return whether a run of the condition that the claim is about started without the claim.

    The reference may come from another spec, which need not know the claim.
    """
    return any(claim.fingerprint not in run.claims_fingerprint.split(",") for run in runs)


def _sentence(
    claim: Claim,
    status: ClaimStatus,
    n: int,
    standing: Standing,
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
        evidence = f"{format_count(n, 'seed')}, too few for a test"
    elif not (math.isfinite(low) or math.isfinite(high)):
        evidence = f"{format_difference(claim.metric, mean)}, {format_count(n, 'seed')}, too few for bounds"
    else:
        evidence = (
            f"{format_difference(claim.metric, mean)}, one-sided {format_percent(confidence, 4)} bounds "
            f"{format_interval(claim.metric, low, high)}, {format_count(n, 'seed')}"
        )
    if status is ClaimStatus.INTERIM:
        evidence += f" of {standing.planned} planned"
    flag = " This claim was added or changed after the runs." if changed else ""
    if standing.stage is Stage.EXTENDED:
        flag += " Seeds were added after a test; the bounds hold for one test."
    return f"{status.value}: {stated} ({evidence}).{flag}"
