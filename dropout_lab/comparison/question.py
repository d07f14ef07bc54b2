"""What is asked of the runs of an experiment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dropout_lab.records import Claim
from dropout_lab.statistics.methods import Method


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked of the runs.

    Attributes:
        conditions: Conditions shown, besides the reference; all by default. p-values are adjusted over all
            conditions of the experiment in any case.
        reference: By default the condition ``baseline``, else one without dropout, else the first.
        metrics: Metrics shown, besides the primary one; by default `DEFAULT_METRICS`, if logged. p-values
            are adjusted over these and the default ones.
        primary: The metric that the verdict is about; by default that of the logged design, else the
            first of `metrics`, else test_accuracy.
        margins: Equivalence margins by metric, instead of the design's or the metric's own; that of the
            primary metric may be named ``""``.
        confidence: Level of intervals; verdicts err with a probability of at most 1 - confidence.
        method: How differences are tested.
        varying, allow: Settings under study, and settings that may also differ, as in `check_confounds`.
        claims: Claims to test.
        all_pairs: Whether all pairs of conditions are compared, too, in the primary metric.
        guard: Whether other differences between runs are looked for; a table of scores has none to show.
    """

    conditions: Sequence[str] = ()
    reference: str | None = None
    metrics: Sequence[str] = ()
    primary: str | None = None
    margins: Mapping[str, float] = field(default_factory=dict)
    confidence: float = 0.95
    method: Method = Method.T
    varying: Sequence[str] = ()
    allow: Sequence[str] = ()
    claims: Sequence[Claim] = ()
    all_pairs: bool = False
    guard: bool = True
