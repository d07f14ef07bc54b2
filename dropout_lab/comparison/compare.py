"""Compare the runs of an experiment: select, check, test."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from dropout_lab.comparison.claims import judge_claims
from dropout_lab.comparison.gaps import decompose_gaps
from dropout_lab.comparison.guard import check_confounds, refuse
from dropout_lab.comparison.notes import reading_notes
from dropout_lab.comparison.pairwise import compare_all_pairs
from dropout_lab.comparison.question import Question
from dropout_lab.comparison.results import Comparison, MetricSummary
from dropout_lab.comparison.selection import Selection, metric_values, select_runs
from dropout_lab.comparison.standing import Stage, Standing, find_standing
from dropout_lab.comparison.testing import tested_differences
from dropout_lab.comparison.under_study import settings_under_study
from dropout_lab.comparison.verdicts import judge
from dropout_lab.errors import UsageError, did_you_mean
from dropout_lab.evaluation.metrics import DEFAULT_METRICS, is_detail, metric_info
from dropout_lab.evaluation.registry import CLASS_ACCURACY, Measured
from dropout_lab.records import Design, RunRecord
from dropout_lab.statistics.sequential import unplanned_looks


def compare_runs(runs: Iterable[RunRecord], question: Question | None = None) -> Comparison:
    """Compare conditions with the reference condition.

    Args:
        runs: Runs of one experiment, any order or status.
        question: What is asked.

    Raises:
        UsageError: If a condition, metric or key does not exist, or if something else differs than what
            is compared.
    """
    question = question or Question()
    family = select_runs(runs, conditions=question.conditions, reference=question.reference)
    selection = family.only(question.conditions)
    design = _latest_design(selection)
    primary, shown, tested = _choose_metrics(family, question, design)
    margins = _margins(question, design, (primary, *shown))
    judged = dict.fromkeys((primary, *tested, *(claim.metric for claim in question.claims)))
    findings = (
        check_confounds(selection, varying=question.varying, allow=question.allow, metrics=judged)
        if question.guard
        else ()
    )
    refuse(findings)

    values: dict[str, dict[str, dict[int, float]]] = {}
    exclusions = list(selection.exclusions)
    for metric in (primary, *tested):
        values[metric] = {}
        for name, by_seed in family.runs.items():
            values[metric][name], left_out = metric_values(by_seed, metric)
            if metric in (primary, *shown) and name in selection.conditions:
                exclusions += left_out
    standings = {name: _standing(name, family, question) for name in family.conditions[1:]}

    def standing_in(name: str, metric: str) -> Standing:
        return standings[name].in_metric(metric, family.runs[name], family.runs[family.reference])

    metrics = (primary, *shown)
    found = tested_differences(values, family.reference, primary, margins, question, standings)
    by_key = {(one.condition, one.metric): one for one in found}
    differences = tuple(by_key[name, metric] for metric in metrics for name in selection.conditions[1:])
    return Comparison(
        experiment=next(iter(selection.all_runs())).experiment_name,
        reference=selection.reference,
        conditions=selection.conditions,
        primary=primary,
        metrics=metrics,
        confidence=question.confidence,
        method=question.method,
        varying=tuple(question.varying) or settings_under_study(selection),
        runs=selection.all_runs(),
        standings=tuple(standings[name] for name in selection.conditions[1:]),
        summaries=tuple(
            _summarize(name, metric, values[metric][name])
            for metric in metrics
            for name in selection.conditions
        ),
        differences=differences,
        verdicts=tuple(
            judge(
                difference,
                standing_in(difference.condition, difference.metric),
                is_primary=difference.metric == primary,
                method=question.method,
            )
            for difference in differences
        ),
        gaps=decompose_gaps(selection),
        findings=findings,
        exclusions=tuple(exclusions),
        claims=judge_claims(question.claims, family, confidence=question.confidence, method=question.method),
        all_pairs=compare_all_pairs(
            primary,
            {name: values[primary][name] for name in selection.conditions},
            confidence=question.confidence,
            method=question.method,
            num_conditions=len(family.conditions),
            is_tested=all(
                standing_in(name, primary).stage is Stage.PLANNED for name in selection.conditions[1:]
            ),
        )
        if question.all_pairs
        else None,
        notes=tuple(
            reading_notes(
                selection,
                differences,
                exclusions,
                [standings[name] for name in selection.conditions[1:]],
                num_family=len(family.conditions) - 1,
                question=question,
                design=design,
            )
        ),
    )


def _standing(name: str, family: Selection, question: Question) -> Standing:
    """Return where a condition stands, with the error rate of the looks that were not planned."""
    standing = find_standing(name, family.runs[name], family.runs[family.reference])
    if standing.stage is not Stage.EXTENDED:
        return standing
    rate = unplanned_looks(standing.looks, 1 - question.confidence, num_conditions=len(family.conditions) - 1)
    return replace(standing, error_rate=rate.error_rate)


def _latest_design(selection: Selection) -> Design | None:
    """Return the design of the run that started last among those that logged one."""
    designed = [run for run in selection.all_runs() if run.design is not None]
    return max(designed, key=lambda run: (run.start_time, run.run_id)).design if designed else None


def _choose_metrics(
    selection: Selection, question: Question, design: Design | None
) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """Return the primary metric, the secondary ones shown, and all that p-values are adjusted for."""
    logged = {name for run in selection.all_runs() for name in run.metrics}
    asked = dict.fromkeys([*([question.primary] if question.primary else []), *question.metrics])
    for name in asked:
        if name not in logged:
            raise UsageError(
                f"No run has the metric {name!r}{did_you_mean(name, logged)}",
                hint=_available(logged),
            )
    defaults = [name for name in DEFAULT_METRICS if name in logged]
    stated = [design.primary] if design is not None else []
    candidates = [*([question.primary] if question.primary else stated), *question.metrics, *defaults]
    if not candidates:
        raise UsageError(
            f"No run has any of the metrics {', '.join(DEFAULT_METRICS)}.",
            hint=_available(logged),
        )
    primary = candidates[0]
    if primary not in logged:
        raise UsageError(
            f"No run has {primary}, the primary metric of the spec.",
            hint="`dropout-lab evaluate EXPERIMENT` measures it if it is one of an evaluation. To judge "
            "another metric, pass --primary.",
        )
    shown = tuple(name for name in (question.metrics or defaults) if name != primary)
    tested = tuple(name for name in dict.fromkeys([*defaults, *question.metrics]) if name != primary)
    return primary, tuple(dict.fromkeys(shown)), tested


def _available(logged: Iterable[str]) -> str:
    """Return the metrics that describe a trained model as a whole, one per line."""
    known = set(logged)
    names = [
        name
        for name in sorted(known)
        if metric_info(name).measured in (Measured.FINAL, Measured.EVALUATED, Measured.UNKNOWN)
        and CLASS_ACCURACY.member(name) is None
        and not is_detail(name, known)
    ]
    return (
        "\n".join(["Available metrics:", *(f"  {name}" for name in names)]) if names else "No metrics logged."
    )


def _margins(question: Question, design: Design | None, metrics: Sequence[str]) -> dict[str, float]:
    asked = {metric or metrics[0]: margin for metric, margin in question.margins.items()}
    for metric in asked:
        if metric not in metrics:
            raise UsageError(
                f"Margin for {metric!r}, which is not compared{did_you_mean(metric, metrics)}",
                hint=f"Compared metrics: {', '.join(metrics)}.",
            )
    return {**(design.margins if design is not None else {}), **asked}


def _summarize(condition: str, metric: str, values: Mapping[int, float]) -> MetricSummary:
    numbers = np.array(list(values.values()))
    return MetricSummary(
        condition=condition,
        metric=metric,
        n=len(numbers),
        mean=float(np.mean(numbers)) if len(numbers) else math.nan,
        sd=float(np.std(numbers, ddof=1)) if len(numbers) > 1 else math.nan,
        values=values,
    )
