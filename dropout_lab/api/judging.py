"""Compare scores, whoever made them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dropout_lab.api.questions import make_question
from dropout_lab.api.results import ComparisonResult
from dropout_lab.comparison.score_table import judge as judge_rows
from dropout_lab.comparison.score_table import metric_columns, read_scores, rows_of

if TYPE_CHECKING:
    from pandas import DataFrame


def judge(
    scores: "DataFrame | Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Any]] | str | Path",
    *,
    conditions: Sequence[str] = (),
    reference: str | None = None,
    metrics: Sequence[str] = (),
    primary: str | None = None,
    margins: float | Mapping[str, float] | None = None,
    method: str = "t",
    confidence: float = 0.95,
    all_pairs: bool = False,
) -> ComparisonResult:
    """Compare scores, whoever made them, with the tests of ``dropout-lab judge``.

    Args:
        scores: One row per run: ``condition``, ``seed`` (leave it out if runs are not paired) and any number
            of metrics. A data frame, a mapping of columns, a list of rows, or the path of a CSV or JSON file.
        conditions: Conditions shown besides the reference. [default: all]
        reference: Reference condition. [default: "baseline", or the first]
        metrics: Metrics shown besides the primary one. [default: all]
        primary: Metric that the verdict is about. [default: the first of `metrics`]
        margins: Equivalence margin of the primary metric as a fraction, or margins by metric.
        method: ``t``, ``bootstrap``, ``sign-flip`` or ``wilcoxon``.
        confidence: Confidence level of intervals and verdicts, 0.5 to 0.9999.
        all_pairs: Whether all pairs of conditions are compared, too.

    Returns:
        The result, with verdicts, tables and plots.

    Raises:
        UsageError: If the scores are malformed, or a condition, metric, margin or method is invalid.

    Examples:
        >>> import dropout_lab as dl
        >>> accuracy = [0.91, 0.92, 0.90, 0.94, 0.95, 0.94]
        >>> result = dl.judge(
        ...     {
        ...         "condition": ["baseline"] * 3 + ["dropout"] * 3,
        ...         "seed": [0, 1, 2] * 2,
        ...         "test_accuracy": accuracy,
        ...     }
        ... )
        >>> result.verdicts[0].word.value
        'better'
    """
    if isinstance(scores, str | Path):
        name, rows = Path(scores).stem, read_scores(Path(scores))
    else:
        name, rows = "scores", rows_of(_columns(scores), "scores")
    question = make_question(
        conditions=conditions,
        metrics=metrics or metric_columns(rows),
        primary=primary,
        reference=reference,
        margins=margins,
        method=method,
        confidence=confidence,
        all_pairs=all_pairs,
    )
    return ComparisonResult(judge_rows(rows, question, name=name))


def _columns(scores: Any) -> Any:
    """Return plain lists for the columns of a data frame or a mapping of arrays; rows stay as they are."""
    if hasattr(scores, "isna") and hasattr(scores, "astype"):
        scores = scores.astype(object).where(~scores.isna(), None).to_dict("list")
    if isinstance(scores, Mapping):
        return {str(name): _listed(column) for name, column in scores.items()}
    return list(scores)


def _listed(column: Any) -> Any:
    return column.tolist() if hasattr(column, "tolist") else list(column)
