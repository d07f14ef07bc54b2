"""The Python API; `import dropout_lab as dl` offers all of it as ``dl.NAME``."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dropout_lab import spec as specs
from dropout_lab.comparison.question import Question
from dropout_lab.comparison.results import Comparison, Verdict
from dropout_lab.comparison.score_table import judge as judge_rows
from dropout_lab.comparison.score_table import metric_columns, read_scores, rows_of
from dropout_lab.errors import UsageError, did_you_mean
from dropout_lab.files import write_atomically
from dropout_lab.statistics.methods import Method

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame


@dataclass(frozen=True, repr=False)
class ComparisonResult:
    """The result of a comparison; notebooks show its verdicts and tables.

    Attributes:
        comparison: All numbers; fractions are 0 to 1.
    """

    comparison: Comparison

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """One verdict per condition and metric, those of the primary metric first."""
        return tuple(sorted(self.comparison.verdicts, key=lambda one: not one.is_primary))

    def to_frame(self) -> "DataFrame":
        """Return one row per metric and condition, with the columns of ``--format csv``."""
        import pandas as pd

        from dropout_lab.reporting.data import CSV_COLUMNS, value_rows

        return pd.DataFrame(value_rows(self.comparison), columns=list(CSV_COLUMNS))

    def to_markdown(self) -> str:
        """Return verdicts, tables, methods and references in Markdown."""
        from dropout_lab.reporting.markdown import to_markdown

        return to_markdown(self.comparison)

    def to_latex(self) -> str:
        """Return tables, verdicts and methods in LaTeX (needs the package booktabs)."""
        from dropout_lab.reporting.latex import to_latex

        return to_latex(self.comparison)

    def plot(self, name: str = "forest") -> "Figure":
        """Return a plot as a Matplotlib figure.

        Args:
            name: Name of the plot, such as ``forest``.

        Raises:
            UsageError: If the comparison has no such plot.
        """
        from dropout_lab.plotting import comparison_pictures
        from dropout_lab.plotting.style import LIGHT

        plots = {one.name: one for one in comparison_pictures(self.comparison)}
        if name not in plots:
            available = ", ".join(plots) or "none"
            raise UsageError(
                f"plot {name!r} not available{did_you_mean(name, plots)} (available: {available})"
            )
        return plots[name].draw(LIGHT)

    def report(self, path: str | Path) -> Path:
        """Write a self-contained HTML report to `path`, and return the path.

        Raises:
            UsageError: If the file cannot be written.
        """
        from dropout_lab.reporting.report import render_report

        file = Path(path)
        try:
            write_atomically(file, render_report(self.comparison).encode())
        except OSError as error:
            raise UsageError(f"cannot write {file}: {error.strerror}") from error
        return file

    def __repr__(self) -> str:
        from dropout_lab.reporting.view import view_comparison

        view = view_comparison(self.comparison)
        return "\n".join([view.title, *(f"{one.word.value}: {one.sentence}" for one in view.verdicts)])

    def _repr_html_(self) -> str:
        lines = "".join(f"<p>{html.escape(line)}</p>" for line in repr(self).splitlines())
        shown = ["condition", "metric", "mean_difference", "ci_low", "ci_high", "p_adjusted", "verdict"]
        frame = self.to_frame()
        rows = frame[frame["condition"] != self.comparison.reference][shown]
        return lines + str(rows.to_html(index=False))


def load_spec(path: str | Path, overrides: Sequence[str] = ()) -> specs.Spec:
    """Read, override and check the spec in a YAML file.

    Args:
        path: Path of the file.
        overrides: ``key=value`` each, such as ``training.epochs=3``; the value is YAML.

    Raises:
        SpecError: If the file or an override is invalid; the message lists all problems.
    """
    return specs.load_spec(Path(path), overrides)


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
    if isinstance(scores, str | Path):
        name, rows = Path(scores).stem, read_scores(Path(scores))
    else:
        name, rows = "scores", rows_of(_columns(scores), "scores")
    question = Question(
        conditions=conditions,
        metrics=metrics or metric_columns(rows),
        primary=primary,
        reference=reference,
        margins=by_metric,
        method=Method(method),
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
