"""A trial while its runs are trained: what is reported of it, and when it ends."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean

from dropout_lab.runs.outcome import Report, RunOutcome
from dropout_lab.runs.planning import PlannedRun
from dropout_lab.runs.search.study import OpenTrial
from dropout_lab.tracking import Tracker
from dropout_lab.training.progress import Progress


@dataclass
class TrialTraining:
    """A trial while its runs are trained.

    The objective after an epoch is the mean over the seeds so far: of the finished ones their last value, of
    the one in training its value after that epoch. All trials have the same seeds in the same order, so at
    each step they are compared on the same seeds.

    Attributes:
        opened: The trial.
        runs: Its runs, in order of seed.
        objective: The validation metric.
        max_epochs: Most epochs that a run of any trial has.
        finished: Last value of the objective by seed.
        pruned: When the trial was ended early; empty if it was not.
    """

    opened: OpenTrial
    runs: Sequence[PlannedRun]
    objective: str
    max_epochs: int
    finished: dict[int, float] = field(default_factory=dict)
    pruned: str = ""

    def prune(self, run: PlannedRun, progress: Progress) -> bool:
        """Report the epochs of a run in training, and return whether the trial is to be ended.

        Within an epoch it is not.
        """
        epochs = progress.epochs
        if not epochs or progress.step_in_epoch:
            return False
        self._report(run.seed, [getattr(epoch, self.objective) for epoch in epochs])
        is_last = run.seed == self.runs[-1].seed and len(epochs) == run.settings.training.epochs
        return not is_last and self.opened.should_prune()

    def end(self, report: Report, tracker: Tracker) -> None:
        """End the trial, unless it has to be continued by a later call.

        Args:
            report: What became of its runs, and maybe those of other trials.
            tracker: Tracker of their experiment, which has the values of finished runs.
        """
        by_seed = {one.run.seed: one for one in report.outcomes if one.run.condition == self.condition}
        for run in self.runs:
            outcome = by_seed.get(run.seed)
            if outcome is None or not outcome.delivered:
                break
            self.finish(outcome, tracker)
        names = {run.name for run in self.runs}
        failures = [failure for failure in report.failures if failure.name in names]
        if self.pruned:
            self.opened.prune(self.pruned)
        elif failures and all(failure.by_training for failure in failures):
            self.opened.fail(failures[0].message)
        elif len(self.finished) == len(self.runs):
            self.opened.complete(fmean(self.finished.values()))

    def finish(self, outcome: RunOutcome, tracker: Tracker) -> None:
        """Note the result of a run, as the tracking store has it; those of earlier seeds are noted."""
        if outcome.pruned:
            seed = f" of seed {outcome.run.seed}" if len(self.runs) > 1 else ""
            self.pruned = f"{outcome.pruned}{seed}"
        if outcome.run.seed in self.finished or outcome.pruned:
            return
        values = tracker.epoch_values(outcome.run_id, self.objective)
        self._report(outcome.run.seed, values)
        self.finished[outcome.run.seed] = values[self._final_epoch(outcome, tracker) - 1]

    def _final_epoch(self, outcome: RunOutcome, tracker: Tracker) -> int:
        """Return the epoch, from 1, whose weights a run ends with; 0 for the last one."""
        stopping = outcome.run.settings.training.early_stopping
        if stopping is None:
            return 0
        values = tracker.epoch_values(outcome.run_id, stopping.metric)
        best = max(values) if stopping.metric == "val_accuracy" else min(values)
        return 1 + values.index(best)

    @property
    def condition(self) -> str:
        """Condition of its runs."""
        return self.runs[0].condition

    def _report(self, seed: int, values: Sequence[float]) -> None:
        index = [run.seed for run in self.runs].index(seed)
        before = [self.finished[run.seed] for run in self.runs[:index]]
        for epoch, value in enumerate(values, start=1):
            self.opened.report(index * self.max_epochs + epoch, fmean([*before, value]))
