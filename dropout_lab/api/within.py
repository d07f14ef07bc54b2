"""Compare conditions within equal values of a setting, such as the number of training images."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dropout_lab.api.comparing import compare, curve_histories
from dropout_lab.api.reading import read_chosen
from dropout_lab.api.results import ComparisonResult
from dropout_lab.api.run_result import RunResult
from dropout_lab.comparison.confounds import UNUSED
from dropout_lab.errors import UsageError, did_you_mean
from dropout_lab.evaluation.metrics import format_count, format_percent
from dropout_lab.libraries import quiet_libraries
from dropout_lab.records import RunRecord

if TYPE_CHECKING:
    from pandas import DataFrame


def compare_within(
    key: str,
    runs: "str | DataFrame | RunResult | None" = None,
    *,
    confidence: float = 0.95,
    curves: bool = True,
    **options: Any,
) -> dict[str, ComparisonResult]:
    """Compare the conditions of an experiment for each value of a setting by itself.

    With k values each comparison has the confidence level 1 - (1 - `confidence`) / k, so that all verdicts
    together hold with probability `confidence` at least (Bonferroni). A value whose runs cannot be compared,
    such as one with a single condition, is not judged: the notes of the other results have the reason.

    Args:
        key: The setting, such as ``data.num_train``.
        runs: As in `compare`.
        confidence: Confidence level of all values together.
        curves: As in `compare`.
        **options: Further arguments of `compare`.

    Returns:
        One result per value that is judged, in order.

    Raises:
        UsageError: If runs do not have the setting, or no value can be judged.
        TrackingError: If the store cannot be read, or has no runs yet.
    """
    with quiet_libraries():
        records = read_chosen(runs, curve_histories(curves=curves))
    settings = sorted({name for run in records for name in run.spec})
    if key not in settings:
        raise UsageError(f"within: no run has the setting {key!r}{did_you_mean(key, settings)}")
    parts: dict[str, list[RunRecord]] = {}
    for run in records:
        parts.setdefault(run.spec.get(key, UNUSED.get(key, "")), []).append(run)
    level = 1 - (1 - confidence) / len(parts)
    found: dict[str, ComparisonResult] = {}
    errors: dict[str, UsageError] = {}
    for value in sorted(parts, key=_in_order):
        try:
            found[value] = _compare_conditions(parts[value], confidence=level, curves=curves, **options)
        except UsageError as error:
            errors[value] = error
    unjudged = tuple(_unjudged(key, value, error) for value, error in errors.items())
    if not found:
        same = len({error.message for error in errors.values()}) == 1
        raise next(iter(errors.values())) if same else UsageError("\n".join(unjudged))
    head = (_note(key, len(parts), level), *unjudged)
    return {value: _within(result, f"{key} {value or 'unset'}", head) for value, result in found.items()}


def _compare_conditions(runs: list[RunRecord], **options: Any) -> ComparisonResult:
    """Return the comparison of at least two conditions."""
    result = compare(runs, **options)
    if len(result.comparison.conditions) < 2:
        raise UsageError(f"only {result.comparison.reference} has finished runs")
    return result


def _within(result: ComparisonResult, where: str, notes: Sequence[str]) -> ComparisonResult:
    comparison = result.comparison
    named = replace(
        comparison, experiment=f"{comparison.experiment}, {where}", notes=(*notes, *comparison.notes)
    )
    return replace(result, comparison=named)


def _unjudged(key: str, value: str, error: UsageError) -> str:
    return f"{key} {value or 'unset'} is not judged: {' '.join(error.message.split())}"


def _in_order(value: str) -> tuple[float, str]:
    try:
        return float(value), value
    except ValueError:
        return float("inf"), value


def _note(key: str, count: int, level: float) -> str:
    return (
        f"Each value of {key} is compared by itself, with a confidence level of {format_percent(level, 4)}:"
        f" the verdicts on {format_count(count, 'value')} together err in at most"
        f" {format_percent(count * (1 - level), 4)} of cases, if their seeds are the planned ones."
    )
