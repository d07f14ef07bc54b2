"""Results of a comparison: immutable data that tables, plots and reports read.

Fractions are 0 to 1 throughout. A number that does not exist (an interval from one seed) is NaN, such a
count is None.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from dropout_lab.comparison.claims import ClaimResult
from dropout_lab.comparison.ensembles import Ensemble
from dropout_lab.comparison.findings import Exclusion, Finding
from dropout_lab.comparison.gaps import GapDecomposition
from dropout_lab.comparison.pairwise import AllPairs
from dropout_lab.comparison.single_runs import SingleRunComparison
from dropout_lab.comparison.standing import Standing
from dropout_lab.records import RunRecord
from dropout_lab.statistics.methods import Method


class VerdictWord(StrEnum):
    """The verdict on one metric of a condition compared with the reference.

    HIGHER and LOWER replace BETTER and WORSE for a metric without a good direction, NARROWER and WIDER for
    a gap that is positive in both conditions. INTERIM: fewer seeds than planned, so no verdict.
    """

    BETTER = "better"
    WORSE = "worse"
    HIGHER = "higher"
    LOWER = "lower"
    NARROWER = "narrower"
    WIDER = "wider"
    EQUIVALENT = "equivalent"
    UNDECIDED = "undecided"
    INTERIM = "interim"


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
        mean, reference_mean: Means over the runs that the difference is about.
        mean_difference: Condition minus reference; of the primary metric, at the end of a sequential design,
            adjusted for early stopping.
        sd_difference: Standard deviation of the paired differences; unpaired, that of one condition's
            values minus another's (the root of the summed variances).
        ci_low, ci_high: Confidence interval of the difference for this comparison alone; in a sequential
            design it holds over all looks.
        adjusted_ci_low, adjusted_ci_high: The interval widened for `num_tests` tests: it excludes 0 exactly
            if `p_adjusted` is at most 1 - confidence.
        confidence: Level of the interval, such as 0.95.
        p_value: Two-sided, for no difference, over all looks.
        p_adjusted: `p_value` adjusted for `num_tests` tests (Holm); the verdict follows this one.
        equivalence_p: Larger p-value of two one-sided tests against `margin`, over all looks.
        equivalence_p_adjusted: `equivalence_p` adjusted for `num_tests` tests (Holm).
        equivalence_level: Level that `equivalence_p` is compared with.
        num_tests: Tests that the p-values are adjusted for: of the primary metric all conditions, of
            secondary metrics all metrics and conditions together.
        p_above, p_within, p_below: Posterior probabilities of a true difference above the margin, within
            it and below it; NaN without a margin.
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
    mean: float
    reference_mean: float
    mean_difference: float
    sd_difference: float
    ci_low: float
    ci_high: float
    confidence: float
    p_value: float
    p_adjusted: float
    equivalence_p: float
    equivalence_p_adjusted: float
    adjusted_ci_low: float = math.nan
    adjusted_ci_high: float = math.nan
    equivalence_level: float = math.nan
    num_tests: int = 1
    p_above: float = math.nan
    p_within: float = math.nan
    p_below: float = math.nan
    effect_size: float
    pairing_correlation: float
    method: str
    smallest_p: float
    margin: float | None
    differences: Mapping[int, float]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The verdict on one metric of a condition compared with the reference.

    Attributes:
        is_primary: Whether the metric is the primary one.
        seeds_needed: For an undecided primary metric, seeds per condition that would decide it with power
            0.8 if the true difference and noise equal the measured ones; None if unknown.
        sentence: The verdict in one sentence.
        statement: What the sentence says besides the word, for where the word stands before it.
    """

    condition: str
    reference: str
    metric: str
    word: VerdictWord
    is_primary: bool
    seeds_needed: int | None
    sentence: str
    statement: str


_Result = TypeVar("_Result", MetricSummary, Difference, Verdict)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """All results of one comparison.

    Attributes:
        experiment: Name of the MLflow experiment or of the table.
        reference: The condition that the others are compared with.
        conditions: All conditions in order, the reference first.
        primary: The metric that the verdict is about.
        metrics: The primary metric first; all others are secondary.
        varying: Settings under study, as patterns.
        runs: The included runs.
        standings: Where each condition but the reference stands in its design.
        summaries, differences, verdicts: One per (condition, metric); use the lookup methods.
        gaps: One per condition for accuracy and loss, if logged.
        ensembles: One per condition with several runs that logged test probabilities.
        all_pairs: All pairs of conditions in the primary metric, if asked for.
        notes: Sentences that every output format shows.
    """

    experiment: str
    reference: str
    conditions: tuple[str, ...]
    primary: str
    metrics: tuple[str, ...]
    confidence: float
    method: Method
    varying: tuple[str, ...]
    runs: tuple[RunRecord, ...]
    standings: tuple[Standing, ...]
    summaries: tuple[MetricSummary, ...]
    differences: tuple[Difference, ...]
    verdicts: tuple[Verdict, ...]
    gaps: tuple[GapDecomposition, ...]
    findings: tuple[Finding, ...]
    exclusions: tuple[Exclusion, ...]
    claims: tuple[ClaimResult, ...] = ()
    single_runs: tuple[SingleRunComparison, ...] = ()
    ensembles: tuple[Ensemble, ...] = ()
    all_pairs: AllPairs | None = None
    notes: tuple[str, ...] = ()

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
