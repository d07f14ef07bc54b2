"""Compare two trained models over the test examples, if there is only one run of each condition."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from dropout_lab.errors import UsageError
from dropout_lab.evaluation.metrics import (
    format_count,
    format_difference,
    format_interval,
    format_p,
    format_percent,
)
from dropout_lab.seeds import generator

NUM_RESAMPLES = 2_000
SMALLEST_PROB = float(np.finfo(np.float16).smallest_subnormal)
"""Probabilities are logged as float16; a logged zero stands for at most this."""

Probs = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class SingleRunComparison:
    """Two trained models compared over the test examples; says nothing about other seeds.

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


def compare_single_runs(
    condition: str,
    reference: str,
    *,
    probs: Probs,
    reference_probs: Probs,
    labels: npt.NDArray[Any],
    confidence: float = 0.95,
) -> SingleRunComparison:
    """Compare two trained models on the same test examples.

    Accuracy by McNemar's exact test (McNemar 1947, doi:10.1007/BF02295996), a binomial test of the examples
    that only one of them got right; differences with percentile intervals of a bootstrap that draws examples.

    Args:
        probs, reference_probs: Class probabilities, (num_examples, num_classes) each.
        labels: True classes, (num_examples,).
        confidence: Level of the intervals.

    Raises:
        UsageError: The shapes do not match, so these are not the same test examples.
    """
    if probs.shape != reference_probs.shape or probs.shape[:1] != labels.shape:
        raise UsageError(
            f"Expected predictions for the same test examples, received probabilities of shape {probs.shape} "
            f"for {condition} and {reference_probs.shape} for {reference}, with {labels.shape} labels."
        )
    right = np.argmax(probs, axis=1) == labels
    reference_right = np.argmax(reference_probs, axis=1) == labels
    gained, lost = int(np.sum(right & ~reference_right)), int(np.sum(~right & reference_right))
    p_value = float(stats.binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0
    accuracy = right.astype(np.float64) - reference_right
    loss = example_losses(probs, labels) - example_losses(reference_probs, labels)
    accuracy_ci, loss_ci = (_interval(differences, confidence) for differences in (accuracy, loss))
    mean = float(np.mean(accuracy))
    interval = format_interval("test_accuracy", *accuracy_ci)
    sentence = (
        f"Single model of {condition} vs single model of {reference}: "
        f"{format_difference('test_accuracy', mean)} test accuracy ({format_percent(confidence)} CI over "
        f"examples {interval}; exact McNemar test, {format_p(p_value)}; {format_count(gained, 'example')} "
        f"right only with {condition}, {lost} only with {reference}). "
        "This compares two trained models, not the methods; other seeds may differ."
    )
    return SingleRunComparison(
        condition=condition,
        reference=reference,
        num_examples=len(labels),
        only_condition_right=gained,
        only_reference_right=lost,
        accuracy_difference=mean,
        accuracy_ci=accuracy_ci,
        loss_difference=float(np.mean(loss)),
        loss_ci=loss_ci,
        confidence=confidence,
        p_value=p_value,
        sentence=sentence,
    )


def example_losses(probs: Probs, labels: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return the cross-entropy of each example, (num_examples,), in nats."""
    of_label = probs[np.arange(len(labels)), labels].astype(np.float64)
    losses: npt.NDArray[np.float64] = -np.log(np.maximum(of_label, SMALLEST_PROB))
    return losses


def _interval(differences: npt.NDArray[np.float64], confidence: float) -> tuple[float, float]:
    interval = stats.bootstrap(
        (differences,),
        np.mean,
        n_resamples=NUM_RESAMPLES,
        batch=100,
        confidence_level=confidence,
        method="percentile",
        rng=generator(0, "bootstrap", "examples"),
    ).confidence_interval
    return float(interval.low), float(interval.high)
