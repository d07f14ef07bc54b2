"""What became of the runs of a call."""

import html
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dropout_lab.runs.outcome import Failure, Report, RunOutcome
from dropout_lab.runs.planning import PlannedRun
from dropout_lab.spec import flatten

if TYPE_CHECKING:
    from pandas import DataFrame

    from dropout_lab.api.results import ComparisonResult
    from dropout_lab.api.search_result import SearchResult
    from dropout_lab.records import RunRecord


@dataclass(frozen=True, repr=False)
class RunResult:
    """What became of the runs of a call; notebooks show them as a table.

    Attributes:
        planned: All runs of the spec.
        report: Their outcomes.
        search: Trials and verdict of a spec with a search; None for other specs.
    """

    planned: tuple[PlannedRun, ...]
    report: Report
    search: "SearchResult | None" = None

    @property
    def experiment(self) -> str:
        """Name of the MLflow experiment."""
        return self.planned[0].origin.experiment if self.planned else ""

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Runs without a result, with message and hint."""
        return tuple(self.report.failures)

    @property
    def runs(self) -> "DataFrame":
        """One row per finished run: names, seed, metrics, and settings as ``params.NAME``."""
        import pandas as pd

        rows = [_row(outcome) for outcome in self.report.outcomes]
        columns = dict.fromkeys(key for row in rows for key in row)
        params = [key for key in columns if key.startswith("params.")]
        return pd.DataFrame(rows, columns=[*(key for key in columns if key not in params), *params])

    def compare(self, **options: Any) -> "ComparisonResult":
        """Compare the conditions, with all finished seeds of the same settings.

        Args:
            **options: As in `compare`.
        """
        from dropout_lab.api.comparing import compare

        return compare(self, **options)

    def includes(self, run: "RunRecord") -> bool:
        """Return whether `run` belongs to the spec: a condition of it with these settings, any seed."""
        return any(
            (run.condition, run.spec_fingerprint) == (one.condition, one.spec_fingerprint)
            for one in self.planned
        )

    def __repr__(self) -> str:
        finished, failed = len(self.report.outcomes), len(self.report.failures)
        return f"RunResult({self.experiment!r}: {finished} finished, {failed} failed)"

    def _repr_html_(self) -> str:
        import pandas as pd

        from dropout_lab.evaluation.metrics import format_value, metric_info

        shown = ("test_accuracy", "test_loss", "generalization_gap")
        rows = [
            {"run": one.run.name}
            | {metric_info(name).label: format_value(name, one.metrics.get(name, math.nan)) for name in shown}
            | {"run ID": one.run_id}
            for one in self.report.outcomes
        ]
        table = pd.DataFrame(rows).to_html(index=False)
        failures = "".join(
            f"<p>{html.escape(f'{one.name} failed: {one.message} {one.hint}')}</p>" for one in self.failures
        )
        return f"{table}{failures}"


def _row(outcome: RunOutcome) -> dict[str, Any]:
    run = outcome.run
    return {
        "run_id": outcome.run_id,
        "run_name": run.name,
        "experiment": run.origin.experiment,
        "condition": run.condition,
        "seed": run.seed,
        "status": "FINISHED",
        "was_finished": outcome.was_finished,
        **outcome.metrics,
        **{f"params.{name}": value for name, value in flatten(run.settings).items()},
    }
