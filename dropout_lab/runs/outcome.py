"""What became of runs."""

from dataclasses import dataclass, field

from dropout_lab.errors import DropoutLabError, Interrupted
from dropout_lab.runs.planning import PlannedRun


@dataclass(frozen=True)
class RunOutcome:
    """A finished run.

    Attributes:
        run: The planned run.
        run_id: Its MLflow run.
        metrics: Final metrics.
        address: Address of its page in the MLflow UI.
        was_finished: Whether an earlier call had finished it, so that nothing was trained.
        delivered: Whether the tracking store has everything.
        pruned: When its search ended it early, so that it has no final metrics; empty if it did not.
    """

    run: PlannedRun
    run_id: str
    metrics: dict[str, float]
    address: str = ""
    was_finished: bool = False
    delivered: bool = True
    pruned: str = ""


@dataclass(frozen=True)
class Failure:
    """A run without a result.

    Attributes:
        name: Name of the run.
        message, hint: What happened, and what to do next.
        exit_code: 2 if nothing was started, else 1.
        stops_others: Whether other runs would fail too, so that none is started after it.
        by_training: Whether its settings are to blame: a loss that is not finite, or too much memory.
    """

    name: str
    message: str
    hint: str = ""
    exit_code: int = 1
    stops_others: bool = False
    by_training: bool = False


@dataclass
class Report:
    """What became of all runs of a call.

    Attributes:
        outcomes: Finished runs.
        failures: Runs without a result.
        stopped: Names of runs that were stopped, with their state saved, because another one failed.
        not_started: Names of runs that were not tried.
        interrupted: The request to stop, if there was one.
        ended_early: Whether no more runs are to be started, even if there are some: a stop was requested,
            the store is away, or a run failed and the caller wants no others then.
    """

    outcomes: list[RunOutcome] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    not_started: list[str] = field(default_factory=list)
    interrupted: Interrupted | None = None
    ended_early: bool = False

    def add(self, other: "Report") -> None:
        """Add the report of a later part of the call."""
        self.outcomes += other.outcomes
        self.failures += other.failures
        self.stopped += other.stopped
        self.not_started += other.not_started
        self.interrupted = other.interrupted
        self.ended_early = other.ended_early

    def raise_problems(self, *, fresh: bool = False) -> None:
        """Raise one error for all that is not as it was asked for.

        Args:
            fresh: Whether the call retrained finished runs, so that repeating it as it was starts over.

        Raises:
            Interrupted: If a stop was requested.
            DropoutLabError: If runs have no result, or results are not in the tracking store.
        """
        repeat = "repeat the command without --fresh" if fresh else "repeat the command"
        num_runs = len(self.outcomes) + len(self.failures) + len(self.stopped) + len(self.not_started)
        lines = [f"{failure.name}: {failure.message}" for failure in self.failures]
        if self.interrupted is not None:
            raise Interrupted(
                "\n".join([self.interrupted.message, *lines]),
                signal_number=self.interrupted.exit_code - 128,
                hint=f"To continue, run `dropout-lab resume` or {repeat}.",
            )
        if self.stopped:
            lines.append(f"Stopped with their state saved: {', '.join(self.stopped)}")
        if self.not_started:
            lines.append(f"Not started: {', '.join(self.not_started)}")
        if lines:
            count = len(self.failures)
            hints = list(dict.fromkeys(failure.hint for failure in self.failures if failure.hint))
            heading = f"{count} of {num_runs} runs failed:\n" if num_runs > 1 else ""
            error = DropoutLabError(
                heading + "\n".join(lines),
                hint="\n".join(hints) or f"Progress is saved; {repeat} to continue.",
            )
            if self.failures and all(failure.exit_code == 2 for failure in self.failures):
                error.exit_code = 2
            raise error
        if not all(outcome.delivered for outcome in self.outcomes):
            raise DropoutLabError("Some results are not logged yet.", hint="Run `dropout-lab sync`.")
