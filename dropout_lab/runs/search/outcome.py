"""What became of a search."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dropout_lab.errors import DropoutLabError
from dropout_lab.evaluation.metrics import format_count
from dropout_lab.runs.outcome import Report
from dropout_lab.runs.planning import PlannedRun
from dropout_lab.runs.search.trials import Trial, TrialState


@dataclass(frozen=True, kw_only=True)
class SearchOutcome:
    """What became of a search and of the confirmation of its best trial.

    Attributes:
        study: Name of the Optuna study.
        file: File of the study.
        objective: The validation metric, ``val_accuracy`` or ``val_loss``.
        num_trials: Number of trials that the spec asks for.
        trials: The trials that were started, by number.
        best: The complete trial with the best objective; None without any.
        report: Outcomes of the runs of trials that were trained in this call.
        planned: Runs of the confirmation; empty if it did not take place.
        confirmation: Their outcomes.
        verdict: The verdict on the best trial, from fresh seeds, in one sentence.
    """

    study: str
    file: Path
    objective: str
    num_trials: int
    trials: tuple[Trial, ...]
    best: Trial | None
    report: Report
    planned: tuple[PlannedRun, ...] = ()
    confirmation: Report = field(default_factory=Report)
    verdict: str = ""

    @property
    def ranked(self) -> tuple[Trial, ...]:
        """All trials, the best first; those that did not finish last."""
        sign = 1 if self.objective == "val_loss" else -1
        order = {TrialState.COMPLETE: 0, TrialState.PRUNED: 1}

        def rank(trial: Trial) -> tuple[float, float]:
            place = order.get(trial.state, 2)
            return place, sign * trial.objective if place < 2 else trial.number

        return tuple(sorted(self.trials, key=rank))

    @property
    def counts(self) -> str:
        """Number of trials by state, such as ``20 trials: 14 complete, 6 pruned``."""
        states = [trial.state for trial in self.trials]
        parts = [f"{states.count(state)} {state}" for state in TrialState if state in states]
        return f"{format_count(len(states), 'trial')}: {', '.join(parts)}" if parts else "no trials"

    def raise_problems(self, *, fresh: bool = False) -> None:
        """Raise one error for all that is not as it was asked for.

        Args:
            fresh: As in `Report.raise_problems`.

        Raises:
            Interrupted: If a stop was requested.
            DropoutLabError: If the search was not completed, or runs of the confirmation have no result.
        """
        if self.report.ended_early:
            self.report.raise_problems(fresh=fresh)
        if self.best is None:
            reasons = dict.fromkeys(trial.reason for trial in self.trials if trial.reason)
            raise DropoutLabError(
                f"No trial was completed ({self.counts}): {'; '.join(reasons)}",
                hint="Search other values; changing search.space starts a new study.",
            )
        self.confirmation.raise_problems(fresh=fresh)

    def to_json(self) -> Mapping[str, Any]:
        """Return the trials and the verdict in a form that JSON keeps."""
        return {
            "study": self.study,
            "storage": f"sqlite:///{self.file}",
            "objective": self.objective,
            "trials": [
                {
                    "number": trial.number,
                    "state": trial.state.value,
                    "objective": trial.objective,
                    "values": dict(trial.values),
                    "reason": trial.reason,
                }
                for trial in self.trials
            ],
            "best_trial": None if self.best is None else self.best.number,
            "verdict": self.verdict,
        }
