"""Tests of every condition against the reference in every metric, adjusted for their number."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from dropout_lab.comparison.question import Question
from dropout_lab.comparison.results import Difference
from dropout_lab.comparison.selection import paired_seeds
from dropout_lab.comparison.standing import Standing
from dropout_lab.errors import UsageError
from dropout_lab.evaluation.metrics import metric_info
from dropout_lab.seeds import generator
from dropout_lab.statistics.bayesian import paired_posterior, unpaired_posterior
from dropout_lab.statistics.difference import compare_values, shift_test
from dropout_lab.statistics.methods import Method
from dropout_lab.statistics.multiplicity import holm, holm_levels
from dropout_lab.statistics.sequential import SequentialDesign, sequential_test
from dropout_lab.statistics.sequential_power import bias_adjusted_mean

Interval = Callable[[float], tuple[float, float]]
"""The confidence interval of a difference at any level."""
Array = npt.NDArray[np.float64]
ValuesBySeed = Mapping[int, float]
Values = Mapping[str, Mapping[str, ValuesBySeed]]
"""Values by metric, condition and seed; the reference is one of the conditions."""


def tested_differences(
    values: Values,
    reference: str,
    primary: str,
    margins: Mapping[str, float],
    question: Question,
    standings: Mapping[str, Standing] | None = None,
) -> list[Difference]:
    """Test every condition against the reference in every metric.

    p-values of the primary metric are adjusted over its conditions, those of all secondary metrics over
    metrics and conditions together (Holm). So at most 1 - confidence of comparisons without any effect
    call a condition better or worse in the primary metric, and likewise in any secondary one.

    Args:
        values: All values that belong to the family, whether they are shown or not.
        reference: Name of the reference.
        primary: Name of the primary metric.
        margins: Equivalence margins by metric; others have their default.
        question: Confidence and method.
        standings: Where each condition stands in its design; without one, its seeds were planned.
    """
    known = standings or {}
    tested = [
        _difference(
            name, known.get(name), metric, by_seed, by_condition[reference], margins, reference, question
        )
        for metric, by_condition in values.items()
        for name, by_seed in by_condition.items()
        if name != reference
    ]
    of_primary, of_others = (
        _adjusted([one for one in tested if (one[0].metric == primary) is wanted], 1 - question.confidence)
        for wanted in (True, False)
    )
    return [*(_after_stopping(one, known.get(one.condition)) for one in of_primary), *of_others]


def _adjusted(family: Sequence[tuple[Difference, Interval]], alpha: float) -> list[Difference]:
    """Return the differences of `family` with p-values and intervals adjusted for its number of tests."""
    p_values = [difference.p_value for difference, _ in family]
    adjusted = holm(p_values)
    equivalence_p_values = [difference.equivalence_p for difference, _ in family]
    equivalence = holm(equivalence_p_values)
    levels = holm_levels(p_values, alpha)
    equivalence_levels = holm_levels(equivalence_p_values, alpha)
    found = []
    for (difference, interval), p, equivalence_p, level, equivalence_level in zip(
        family, adjusted, equivalence, levels, equivalence_levels, strict=True
    ):
        low, high = difference.ci_low, difference.ci_high
        if level < alpha:
            low, high = interval(1 - level)
        found.append(
            replace(
                difference,
                p_adjusted=p,
                equivalence_p_adjusted=equivalence_p,
                equivalence_level=equivalence_level,
                adjusted_ci_low=low,
                adjusted_ci_high=high,
                num_tests=len(family),
            )
        )
    return found


def _after_stopping(difference: Difference, standing: Standing | None) -> Difference:
    """Return the primary difference of a design that has ended with its mean adjusted for where it ended."""
    design = standing.sequential_design if standing is not None else None
    alpha = 1 - difference.confidence
    is_decided = min(difference.p_adjusted, difference.equivalence_p_adjusted) <= alpha
    if design is None or not (is_decided or difference.n == design.most):
        return difference
    estimate = bias_adjusted_mean(
        difference.mean_difference,
        difference.sd_difference,
        design,
        margin=difference.margin,
        alpha=alpha,
        num_conditions=difference.num_tests,
    )
    # Intervals of earlier looks may exclude the estimate of the last one.
    mean = min(max(estimate, difference.ci_low), difference.ci_high)
    sd = difference.sd_difference
    return replace(
        difference, mean_difference=mean, effect_size=mean / sd if sd > 0 else difference.effect_size
    )


def _difference(
    name: str,
    standing: Standing | None,
    metric: str,
    values: ValuesBySeed,
    reference: ValuesBySeed,
    margins: Mapping[str, float],
    reference_name: str,
    question: Question,
) -> tuple[Difference, Interval]:
    """Return a difference before any adjustment, and its interval at other levels."""
    design = standing.sequential_design if standing is not None else None
    shared = paired_seeds(values, reference) if standing is None else standing.tested_seeds(values, reference)
    margin = margins.get(metric, metric_info(metric).margin)
    own = np.array([values[seed] for seed in shared or values])
    others = np.array([reference[seed] for seed in shared or reference])
    test = compare_values(
        own,
        others,
        paired=bool(shared),
        method=question.method,
        confidence=question.confidence,
        margin=margin,
        rng=generator(0, "bootstrap", metric),
    )
    found = vars(test)
    if design is not None:
        found |= _over_looks(name, design, own, others, bool(shared), margin, found["method"], question)
    difference = Difference(
        condition=name,
        reference=reference_name,
        metric=metric,
        mean=float(np.mean(own)) if len(own) else math.nan,
        reference_mean=float(np.mean(others)) if len(others) else math.nan,
        confidence=question.confidence,
        margin=margin,
        differences={seed: values[seed] - reference[seed] for seed in shared},
        **_posterior(own, others, bool(shared), margin),
        p_adjusted=found["p_value"],
        equivalence_p_adjusted=found["equivalence_p"],
        **found,
    )

    def interval(confidence: float) -> tuple[float, float]:
        if min(len(own), len(others)) < 2:
            return math.nan, math.nan
        if design is not None:
            test = sequential_test(own, others, design, confidence=confidence)
            return test.ci_low, test.ci_high
        return shift_test(
            own, others, paired=bool(shared), method=question.method, rng=generator(0, "bootstrap", metric)
        ).interval(confidence)

    return difference, interval


def _posterior(values: Array, reference: Array, paired: bool, margin: float | None) -> dict[str, Any]:
    """Return the posterior probabilities of a difference above, within and below the margin, if any."""
    found = None
    if margin is not None and len(values) and len(reference):
        found = (
            paired_posterior(values - reference, margin)
            if paired
            else unpaired_posterior(values, reference, margin)
        )
    if found is None:
        return {}
    return {"p_above": found.higher, "p_within": found.equivalent, "p_below": found.lower}


def _over_looks(
    name: str,
    design: SequentialDesign,
    values: Array,
    reference: Array,
    paired: bool,
    margin: float | None,
    method: str,
    question: Question,
) -> dict[str, Any]:
    """Return what replaces the results of a single test at the last of several planned looks.

    A metric that fewer seeds have than the first look needs is not tested.
    """
    n = min(len(values), len(reference))
    if n >= design.first and (question.method is not Method.T or not paired):
        raise UsageError(
            f"{name} has a sequential design, whose error rate is known only for the paired t test.",
            hint="Compare it with a reference that shares its seeds, and leave out --method.",
        )
    test = sequential_test(values[:n], reference[:n], design, confidence=question.confidence, margin=margin)
    return {
        "p_value": test.p_value,
        "equivalence_p": test.equivalence_p,
        "ci_low": test.ci_low,
        "ci_high": test.ci_high,
        "method": f"sequential {method}",
    }
