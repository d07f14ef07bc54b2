"""The trials of a search, and the verdict on the best one."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dropout_lab.runs.search.outcome import SearchOutcome

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True, repr=False)
class SearchResult:
    """The trials of a search; notebooks show them as a table.

    Attributes:
        outcome: What became of the search.
    """

    outcome: SearchOutcome

    @property
    def trials(self) -> "DataFrame":
        """One row per trial, the best first: number, state, objective, reason, and values by field."""
        import pandas as pd

        objective = self.outcome.objective
        rows = [
            {"number": one.number, "state": one.state.value, objective: one.objective, "reason": one.reason}
            | dict(one.values)
            for one in self.outcome.ranked
        ]
        return pd.DataFrame(rows)

    @property
    def best(self) -> dict[str, Any]:
        """Values of the best trial by field, such as ``{"training.learning_rate": 0.002}``."""
        return {} if self.outcome.best is None else dict(self.outcome.best.values)

    @property
    def verdict(self) -> str:
        """The verdict on the best trial against the baseline, from seeds that no trial used."""
        return self.outcome.verdict

    @property
    def storage(self) -> str:
        """Address of the Optuna storage: ``optuna.load_study(study_name=..., storage=...)`` opens it."""
        return f"sqlite:///{self.outcome.file}"

    @property
    def study_name(self) -> str:
        """Name of the Optuna study."""
        return self.outcome.study

    def __repr__(self) -> str:
        return f"SearchResult({self.outcome.study!r}: {self.outcome.counts})"

    def _repr_html_(self) -> str:
        import html

        return f"{self.trials.to_html(index=False)}<p>{html.escape(self.verdict)}</p>"
