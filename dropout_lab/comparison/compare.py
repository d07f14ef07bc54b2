"""Judges the runs of an experiment: which count, may they be compared, what differs, how sure is that."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from dropout_lab.comparison.claims import judge_claims
from dropout_lab.comparison.guard import DEFAULT_VARYING, check_confounds, refuse
from dropout_lab.comparison.notes import reading_notes
from dropout_lab.comparison.results import Comparison, Difference, GapDecomposition, MetricSummary
from dropout_lab.comparison.selection import (
    Selection,
    metric_values,
    paired_seeds,
    select_runs,
)
from dropout_lab.comparison.verdicts import judge
from dropout_lab.errors import UsageError, did_you_mean
from dropout_lab.evaluation.metrics import DEFAULT_METRICS, metric_info
from dropout_lab.records import Claim, RunRecord
from dropout_lab.seeds import generator
from dropout_lab.statistics.difference import compare_values
from dropout_lab.statistics.methods import Method
from dropout_lab.statistics.multiplicity import holm

_GAP_METRICS = {
    "accuracy": ("accuracy", "train_accuracy", "test_accuracy"),
    "loss": ("loss", "train_loss", "test_loss"),
}


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked of the runs.

    Attributes:
        conditions: Only these, and the reference; all where empty.
        reference: By default the condition called ``baseline``, else one without dropout, else the first.
        metrics: The first is the one that verdicts are about; by default `DEFAULT_METRICS`, where logged.
        margins: By metric, in place of the metric's own: the largest difference that is called equivalent.
        confidence: Of intervals; errors of verdicts have a probability of at most 1 - confidence.
        method: How differences are tested.
        varying, allow: What the comparison is about, and what else may differ, as in `check_confounds`.
        claims: To be judged too.
    """

    conditions: Sequence[str] = ()
    reference: str | None = None
    metrics: Sequence[str] = ()
    margins: Mapping[str, float] = field(default_factory=dict)
    confidence: float = 0.95
    method: Method = Method.T
    varying: Sequence[str] = DEFAULT_VARYING
    allow: Sequence[str] = ()
    claims: Sequence[Claim] = ()


def compare_runs(runs: Iterable[RunRecord], question: Question | None = None) -> Comparison:
    """Compare conditions with the reference condition.

    Args:
        runs: Of one experiment, in any order and state.
        question: What is asked.

    Raises:
        UsageError: A condition, metric or key is not there, or something else differs than what is compared.
    """
    question = question or Question()
    selection = select_runs(runs, conditions=question.conditions, reference=question.reference)
    metrics = _choose_metrics(selection, question.metrics)
    unknown_margins = [metric for metric in question.margins if metric not in metrics]
    if unknown_margins:
        raise UsageError(
            f"A margin was given for {unknown_margins[0]!r}, which is not compared"
            f"{did_you_mean(unknown_margins[0], metrics)}",
            hint=f"The metrics compared are: {', '.join(metrics)}.",
        )
    findings = check_confounds(selection, varying=question.varying, allow=question.allow)
    refuse(findings)

    values: dict[str, dict[str, dict[int, float]]] = {}
    exclusions = list(selection.exclusions)
    for metric in metrics:
        values[metric] = {}
        for name, by_seed in selection.runs.items():
            values[metric][name], left_out = metric_values(by_seed, metric)
            exclusions += left_out
    differences = tuple(
        difference
        for metric in metrics
        for difference in metric_differences(metric, values[metric], selection.reference, question)
    )
    num_comparisons = len(selection.conditions) - 1
    return Comparison(
        experiment=next(iter(selection.all_runs())).experiment_name,
        reference=selection.reference,
        conditions=selection.conditions,
        metrics=metrics,
        confidence=question.confidence,
        method=question.method,
        varying=tuple(question.varying),
        runs=selection.all_runs(),
        summaries=tuple(
            _summarise(name, metric, values[metric][name])
            for metric in metrics
            for name in selection.conditions
        ),
        differences=differences,
        verdicts=tuple(
            judge(difference, num_comparisons=num_comparisons, method=question.method)
            for difference in differences
        ),
        gaps=_decompose_gaps(selection),
        findings=findings,
        exclusions=tuple(exclusions),
        claims=judge_claims(question.claims, selection, confidence=question.confidence),
        notes=tuple(
            reading_notes(
                selection,
                differences,
                exclusions,
                confidence=question.confidence,
            )
        ),
    )


def _choose_metrics(selection: Selection, asked: Sequence[str]) -> tuple[str, ...]:
    logged = {name for run in selection.all_runs() for name in run.metrics}
    for name in asked:
        if name not in logged:
            raise UsageError(
                f"No run has the metric {name!r}{did_you_mean(name, logged)}",
                hint=f"Logged are: {', '.join(sorted(logged))}." if logged else "No metrics were logged.",
            )
    metrics = tuple(dict.fromkeys(asked)) or tuple(name for name in DEFAULT_METRICS if name in logged)
    if not metrics:
        raise UsageError(
            f"No run has any of the metrics {', '.join(DEFAULT_METRICS)}.",
            hint=f"Choose with --metric: {', '.join(sorted(logged))}."
            if logged
            else "No metrics were logged.",
        )
    return metrics


def _summarise(condition: str, metric: str, values: Mapping[int, float]) -> MetricSummary:
    figures = np.array(list(values.values()))
    return MetricSummary(
        condition=condition,
        metric=metric,
        n=len(figures),
        mean=float(np.mean(figures)) if len(figures) else math.nan,
        sd=float(np.std(figures, ddof=1)) if len(figures) > 1 else math.nan,
        values=values,
    )


def metric_differences(
    metric: str, values: Mapping[str, Mapping[int, float]], reference: str, question: Question
) -> list[Difference]:
    """Test every condition against the reference in one metric, and correct over the conditions.

    Args:
        metric: Its name.
        values: Of each condition, by seed, the reference among them.
        reference: Name of the reference.
        question: Its margins, confidence and method are used.
    """
    margin = question.margins.get(metric, metric_info(metric).margin)
    tested = [
        _difference(name, metric, by_seed, values[reference], margin, reference, question)
        for name, by_seed in values.items()
        if name != reference
    ]
    adjusted = holm([difference.p_value for difference in tested])
    equivalence = holm([difference.equivalence_p for difference in tested])
    return [
        replace(difference, p_adjusted=p, equivalence_p_adjusted=equivalence_p)
        for difference, p, equivalence_p in zip(tested, adjusted, equivalence, strict=True)
    ]


def _difference(
    name: str,
    metric: str,
    values: Mapping[int, float],
    reference: Mapping[int, float],
    margin: float | None,
    reference_name: str,
    question: Question,
) -> Difference:
    shared = paired_seeds(values, reference)
    test = compare_values(
        np.array([values[seed] for seed in shared or values]),
        np.array([reference[seed] for seed in shared or reference]),
        paired=bool(shared),
        method=question.method,
        confidence=question.confidence,
        margin=margin,
        rng=generator(0, "bootstrap", metric),
    )
    return Difference(
        condition=name,
        reference=reference_name,
        metric=metric,
        confidence=question.confidence,
        margin=margin,
        differences={seed: values[seed] - reference[seed] for seed in shared},
        p_adjusted=test.p_value,
        equivalence_p_adjusted=test.equivalence_p,
        **vars(test),
    )


def _decompose_gaps(selection: Selection) -> tuple[GapDecomposition, ...]:
    gaps = []
    for metric, names in _GAP_METRICS.items():
        for condition, runs in selection.runs.items():
            figures = [metric_values(runs, name)[0] for name in names]
            seeds = set.intersection(*(set(by_seed) for by_seed in figures))
            if seeds:
                train_noisy, train, test = (
                    float(np.mean([by_seed[seed] for seed in sorted(seeds)])) for by_seed in figures
                )
                gaps.append(
                    GapDecomposition(
                        condition=condition,
                        metric=metric,
                        n=len(seeds),
                        train_noisy=train_noisy,
                        train=train,
                        test=test,
                    )
                )
    return tuple(gaps)
