"""The trials that a search still lacks, one after the other."""

from typing import TYPE_CHECKING

from dropout_lab.errors import UsageError
from dropout_lab.runs.outcome import Report
from dropout_lab.runs.reporter import Reporter
from dropout_lab.runs.search.session import Session
from dropout_lab.runs.search.trials import describe_start, describe_state, search_of

if TYPE_CHECKING:
    from dropout_lab.runs.search.trial_training import TrialTraining


class TrialQueue:
    """Opens trials, and ends them with what became of their runs.

    Args:
        session: What the trials have in common.
        reporter: Progress callbacks.
    """

    def __init__(self, session: Session, reporter: Reporter) -> None:
        self._session = session
        self._reporter = reporter
        self._search = search_of(session.spec)

    def next(self) -> "TrialTraining | None":
        """Open the next trial; None if the search has no more."""
        while (opened := self._session.study.next()) is not None:
            self._reporter.noted(describe_start(opened.trial, self._search))
            try:
                return self._session.training_of(opened)
            except UsageError as error:  # this trial cannot be trained; others may
                opened.fail(error.message)
                self._reporter.noted(self._describe_end(opened.trial.number))
        return None

    def end(self, trial: "TrialTraining", report: Report) -> None:
        """End a trial, unless it has to be continued by a later call.

        Args:
            trial: An open trial.
            report: What became of its runs. It is marked as ended early if no other trial is to be opened.
        """
        trial.end(report, self._session.tracker)
        self._reporter.noted(self._describe_end(trial.opened.trial.number))
        report.ended_early |= not all(failure.by_training for failure in report.failures)
        report.ended_early |= not all(outcome.delivered for outcome in report.outcomes)

    def _describe_end(self, number: int) -> str:
        study, objective = self._session.study, self._search.objective
        (trial,) = (one for one in study.trials if one.number == number)
        best = study.best
        words = describe_state(trial, objective)
        is_other = best is not None and best.number != number
        return f"{words}; best: {describe_state(best, objective)}" if best and is_other else words
