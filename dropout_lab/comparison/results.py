"""What a comparison found, as frozen data: the judging core writes it; tables, plots and reports read it.

Fractions are 0 to 1 throughout. A figure that cannot be had (an interval from one seed) is NaN, a count
that cannot be had is None.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from dropout_lab.comparison.findings import Exclusion, Finding
from dropout_lab.records import Claim, RunRecord
from dropout_lab.statistics.methods import Method


class VerdictWord(StrEnum):
    """What is said of a condition against the reference, on one metric.

    HIGHER and LOWER stand for BETTER and WORSE on a metric of which it is not known which way is good.
    """

    BETTER = "better"
    WORSE = "worse"
    HIGHER = "higher"
    LOWER = "lower"
    EQUIVALENT = "equivalent"
    UNDECIDED = "undecided"


SYMBOLS: Mapping[VerdictWord, str] = {
    VerdictWord.BETTER: "▲",
    VerdictWord.WORSE: "▼",
    VerdictWord.HIGHER: "↑",
    VerdictWord.LOWER: "↓",
    VerdictWord.EQUIVALENT: "=",
    VerdictWord.UNDECIDED: "?",
}
"""Shown beside each verdict, so that it is seen without colour."""


class ClaimStatus(StrEnum):
    """What the runs say of a claim."""

    SUPPORTED = "supported"
    REFUTED = "refuted"
    UNDECIDED = "undecided"


@dataclass(frozen=True, kw_only=True)
class MetricSummary:
    """One metric of one condition over its seeds.

    Attributes:
        n: Number of seeds with a finite value.
        mean: Over the seeds; NaN where n = 0.
        sd: Sample standard deviation (n - 1); NaN where n < 2.
        values: The metric by seed, in order of seed.
    """

    condition: str
    metric: str
    n: int
    mean: float
    sd: float
    values: Mapping[int, float]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One metric of a condition minus that of the reference.

    Attributes:
        n: Number of pairs; of unpaired runs, the smaller of the two numbers of seeds.
        paired: Whether runs were paired by seed; otherwise Welch's test is used.
        mean_difference: Condition minus reference.
        sd_difference: Standard deviation of the paired differences; unpaired, that of one condition's
            values minus another's (the root of the summed variances).
        ci_low, ci_high: Confidence interval of the mean difference for this comparison alone.
        confidence: Of the interval, such as 0.95.
        p_value: Two-sided, for no difference.
        p_adjusted: `p_value` after Holm's correction over the conditions; the verdict follows this one.
        equivalence_p: Of two one-sided t tests against `margin`, the larger p-value.
        equivalence_p_adjusted: `equivalence_p` after Holm's correction over the conditions.
        effect_size: Mean difference in standard deviations: of the paired differences (Cohen's d_z),
            or unpaired of the runs (root mean square of both conditions').
        pairing_correlation: Of the paired values over seeds: what pairing bought.
        method: In words, such as ``paired t``.
        smallest_p: The smallest p-value that the test can give with this n (0: no limit).
        margin: The largest difference that is called equivalent; None where none is known.
        differences: The paired differences by seed; empty where unpaired.
    """

    condition: str
    reference: str
    metric: str
    n: int
    paired: bool
    mean_difference: float
    sd_difference: float
    ci_low: float
    ci_high: float
    confidence: float
    p_value: float
    p_adjusted: float
    equivalence_p: float
    equivalence_p_adjusted: float
    effect_size: float
    pairing_correlation: float
    method: str
    smallest_p: float
    margin: float | None
    differences: Mapping[int, float]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What is said of a condition against the reference, on one metric.

    Attributes:
        seeds_needed: Where undecided, seeds a condition with which it would be decided with power 0.8,
            were the true difference and noise as measured; None where that cannot be told.
        sentence: The verdict in one plain sentence, percentages included.
    """

    condition: str
    reference: str
    metric: str
    word: VerdictWord
    seeds_needed: int | None
    sentence: str


_Result = TypeVar("_Result", MetricSummary, Difference, Verdict)


@dataclass(frozen=True, kw_only=True)
class GapDecomposition:
    """Three figures of a condition that are easily taken for two, each a mean over the same seeds.

    Attributes:
        metric: ``accuracy`` or ``loss``.
        n: Number of seeds that have all three figures.
        train_noisy: Training set, dropout on: what training prints for the last epoch, averaged while
            the weights still moved.
        train: Training set, dropout off, after training.
        test: Test set, dropout off.
    """

    condition: str
    metric: str
    n: int
    train_noisy: float
    train: float
    test: float

    @property
    def dropout_noise(self) -> float:
        """`train` - `train_noisy`: what dropout's noise (and the epoch's progress) hides; no overfitting."""
        return self.train - self.train_noisy

    @property
    def gap(self) -> float:
        """Overfitting: train - test for accuracy, test - train for loss, both with dropout off."""
        return self.train - self.test if self.metric == "accuracy" else self.test - self.train


@dataclass(frozen=True, kw_only=True)
class SingleRunComparison:
    """Two trained models compared over the test examples: it speaks of these two, not of the method.

    Attributes:
        num_examples: Test examples that both models predicted.
        only_condition_right, only_reference_right: Examples that only one model classified correctly.
        accuracy_difference, loss_difference: Condition minus reference.
        accuracy_ci, loss_ci: Interval ends, from a paired bootstrap over the examples.
        p_value: Exact McNemar test of equal accuracy.
    """

    condition: str
    reference: str
    num_examples: int
    only_condition_right: int
    only_reference_right: int
    accuracy_difference: float
    accuracy_ci: tuple[float, float]
    loss_difference: float
    loss_ci: tuple[float, float]
    confidence: float
    p_value: float
    sentence: str


@dataclass(frozen=True, kw_only=True)
class ClaimResult:
    """A claim stated beforehand, and what the runs say of it.

    Attributes:
        n: Number of pairs, or of seeds on the smaller side where unpaired.
        mean_difference: Condition minus reference.
        ci_low, ci_high: The two one-sided bounds, each at `confidence`.
        changed: The claim as it reads now was not in the spec when its runs were made.
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


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """All that `compare` found.

    Attributes:
        experiment: The MLflow experiment's name.
        reference: The condition that the others are compared with.
        conditions: All conditions in order, the reference first.
        metrics: In order; the first is the one that verdicts are about.
        varying: The keys that the comparison is about, as patterns.
        runs: The runs that count.
        summaries, differences, verdicts: One for each (condition, metric); use the lookup methods.
        gaps: One for each condition and for accuracy and loss, where logged.
        notes: Sentences that every form of output shows below the figures.
    """

    experiment: str
    reference: str
    conditions: tuple[str, ...]
    metrics: tuple[str, ...]
    confidence: float
    method: Method
    varying: tuple[str, ...]
    runs: tuple[RunRecord, ...]
    summaries: tuple[MetricSummary, ...]
    differences: tuple[Difference, ...]
    verdicts: tuple[Verdict, ...]
    gaps: tuple[GapDecomposition, ...]
    findings: tuple[Finding, ...]
    exclusions: tuple[Exclusion, ...]
    claims: tuple[ClaimResult, ...] = ()
    single_runs: tuple[SingleRunComparison, ...] = ()
    notes: tuple[str, ...] = field(default=())

    def summary(self, condition: str, metric: str) -> MetricSummary:
        """Return the summary of `metric` in `condition`; KeyError where it was not compared."""
        return _find(self.summaries, condition, metric)

    def difference(self, condition: str, metric: str) -> Difference:
        """Return the difference in `metric` between `condition` and the reference; KeyError as above."""
        return _find(self.differences, condition, metric)

    def verdict(self, condition: str, metric: str) -> Verdict:
        """Return the verdict on `metric` of `condition`; KeyError as above."""
        return _find(self.verdicts, condition, metric)


def _find(results: tuple[_Result, ...], condition: str, metric: str) -> _Result:
    for result in results:
        if (result.condition, result.metric) == (condition, metric):
            return result
    raise KeyError((condition, metric))
