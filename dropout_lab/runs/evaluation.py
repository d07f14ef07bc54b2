"""From finished runs to their evaluation; TensorFlow starts only if there is something to compute."""

import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from dropout_lab.errors import DropoutLabError, Interrupted
from dropout_lab.records import RunRecord
from dropout_lab.runs.executors import Starting
from dropout_lab.runs.outcome import Failure
from dropout_lab.spec.evaluation import EvaluationSpec


@dataclass
class EvaluationReport:
    """What became of the runs of a call.

    Attributes:
        evaluated: Runs that were evaluated now, with the metrics that were logged, by run ID.
        skipped: IDs of runs that had everything.
        failures: Runs that could not be evaluated.
        notes: What the user should know.
        interrupted: Whether the call was interrupted.
    """

    evaluated: dict[str, dict[str, float]] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    interrupted: bool = False

    def raise_problems(self) -> None:
        """Raise one error if the call was interrupted, or for the runs that failed."""
        if self.interrupted:
            raise Interrupted(
                "Interrupted.",
                signal_number=signal.SIGINT,
                hint="Repeat the command; evaluated runs are skipped.",
            )
        if self.failures:
            lines = [
                f"{one.name}: {one.message}{f' {one.hint}' if one.hint else ''}" for one in self.failures
            ]
            count = len(self.failures)
            raise DropoutLabError("\n".join([f"{count} run{'s'[: count > 1]} not evaluated:", *lines]))


def evaluate_found(
    runs: Sequence[RunRecord],
    spec: EvaluationSpec,
    starting: Starting,
    *,
    force: bool = False,
    on_start: Callable[[RunRecord], None] = lambda _: None,
) -> EvaluationReport:
    """Evaluate finished runs, and log the results to them; see `evaluating.evaluate_runs`.

    Settings of Keras and states of random numbers are restored afterwards.

    Args:
        runs: Finished runs.
        spec: What to measure.
        starting: Entered while TensorFlow starts.
        force: Whether runs are evaluated again.
        on_start: Called with each run that is evaluated.
    """
    from dropout_lab.runs.evaluation_parts import missing_parts

    if not any(missing_parts(spec, run.evaluated, force=force) for run in runs):
        return EvaluationReport(skipped=[run.run_id for run in runs])
    with starting("TensorFlow"):
        from dropout_lab.runs.evaluating import evaluate_runs
        from dropout_lab.training.devices import resolve_device
        from dropout_lab.training.own_state import own_state

        resolve_device("auto")  # TensorFlow logs, too, when it first looks for devices
    with own_state():
        return evaluate_runs(runs, spec, force=force, on_start=on_start)
