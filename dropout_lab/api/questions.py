"""Arguments of a comparison, checked."""

from collections.abc import Mapping
from typing import Any

from dropout_lab.comparison.question import Question
from dropout_lab.errors import UsageError, did_you_mean
from dropout_lab.statistics.methods import Method


def make_question(
    *, method: str, confidence: float, margins: float | Mapping[str, float] | None, **others: Any
) -> Question:
    """Return the question that the arguments of `judge` or `compare` ask.

    Args:
        method: Name of a `Method`.
        confidence: Confidence level of intervals and verdicts, 0.5 to 0.9999.
        margins: Equivalence margin of the primary metric as a fraction, or margins by metric.
        **others: Other fields of `Question`.

    Raises:
        UsageError: If the method, the confidence or a margin is invalid.
    """
    methods = [one.value for one in Method]
    if method not in methods:
        near = did_you_mean(method, methods)
        raise UsageError(f"method: unknown: {method!r}{near} (allowed: {', '.join(methods)})")
    if not 0.5 <= confidence <= 0.9999:
        raise UsageError(f"confidence: out of range: {confidence} (allowed: 0.5 to 0.9999)")
    by_metric = dict(margins) if isinstance(margins, Mapping) else {} if margins is None else {"": margins}
    for metric, margin in by_metric.items():
        if not 0 < margin < float("inf"):
            where = f"margins[{metric!r}]" if metric else "margins"
            raise UsageError(f"{where}: not a fraction above 0 such as 0.003: {margin}")
    return Question(method=Method(method), confidence=confidence, margins=by_metric, **others)
