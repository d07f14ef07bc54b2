"""Compare conditions within equal values of a setting, such as the number of training images."""

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
    together hold with probability `confidence` at least (Bonferroni).

    Args:
        key: The setting, such as ``data.num_train``.
        runs: As in `compare`.
        confidence: Confidence level of all values together.
        curves: As in `compare`.
        **options: Further arguments of `compare`.

    Returns:
        One result per value, in order.

    Raises:
        UsageError: If runs do not have the setting, or a value has no two conditions.
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
    found = {}
    for value in sorted(parts, key=_in_order):
        result = compare(parts[value], confidence=level, curves=curves, **options)
        comparison = replace(
            result.comparison,
            experiment=f"{result.comparison.experiment}, {key} {value or 'unset'}",
            notes=(_note(key, len(parts), level), *result.comparison.notes),
        )
        found[value] = replace(result, comparison=comparison)
    return found


def _in_order(value: str) -> tuple[float, str]:
    try:
        return float(value), value
    except ValueError:
        return float("inf"), value


def _note(key: str, count: int, level: float) -> str:
    return (
        f"Each value of {key} is compared by itself, with a confidence level of {format_percent(level, 4)}:"
        f" the verdicts on {format_count(count, 'value')} together err in at most"
        f" {format_percent(count * (1 - level), 4)} of cases."
    )
