"""Train a sequential design: seeds are added until the verdict on the primary metric is decided."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dropout_lab.comparison.results import VerdictWord
from dropout_lab.design import Design
from dropout_lab.errors import UsageError
from dropout_lab.evaluation.metrics import format_count
from dropout_lab.records import RunRecord
from dropout_lab.runs.outcome import Report
from dropout_lab.runs.planning import PlannedRun
from dropout_lab.runs.studies import compare_as_shown, compare_planned

OPEN = (VerdictWord.UNDECIDED, VerdictWord.INTERIM)
"""Verdicts with which a condition is trained further."""


@dataclass(frozen=True)
class Look:
    """Where the conditions stand after a look.

    Attributes:
        reference: The condition that all others are compared with.
        words: Verdict on the primary metric by condition.
        sentences: The verdicts in sentences.
    """

    reference: str
    words: dict[str, VerdictWord]
    sentences: tuple[str, ...]

    def is_open(self, condition: str) -> bool:
        """Return whether a condition is not decided; one without a finished run is not."""
        return condition != self.reference and self.words.get(condition, VerdictWord.INTERIM) in OPEN


def take_look(finished: Sequence[RunRecord], planned: Sequence[PlannedRun]) -> Look:
    """Judge the primary metric by the runs in the tracking store, as `compare` judges it.

    Args:
        finished: Runs of the experiment, any order or status; those of the same conditions that another spec
            trained are left out.
        planned: All runs of the spec.

    Raises:
        UsageError: If the runs cannot be compared.
    """
    specs = {run.condition: run.spec_fingerprint for run in planned}
    runs = [run for run in finished if specs.get(run.condition, run.spec_fingerprint) == run.spec_fingerprint]
    comparison = compare_as_shown(runs, lambda some: compare_planned(some, planned))
    verdicts = [one for one in comparison.verdicts if one.is_primary and one.condition in specs]
    return Look(
        reference=comparison.reference,
        words={one.condition: one.word for one in verdicts},
        sentences=tuple(one.sentence for one in verdicts),
    )


def execute_sequentially(
    runs: Sequence[PlannedRun],
    execute: Callable[[Sequence[PlannedRun]], Report],
    finished_runs: Callable[[], Sequence[RunRecord]],
    note: Callable[[str], None],
) -> Report:
    """Train the runs of a sequential design look by look; runs of a fixed design all at once.

    A condition that is decided is trained no further. Repeating the call after an interruption passes the
    earlier looks again, whose runs are finished, and continues where it stopped.

    Args:
        runs: All runs that the design may take.
        execute: Trains runs, skipping finished ones.
        finished_runs: Reads the runs of the experiment from the tracking store.
        note: Called with one line per condition after each look.
    """
    design = Design.from_json(runs[0].origin.design) if runs and runs[0].origin.design else None
    if design is None or not design.is_sequential:
        return execute(runs)
    conditions = list(dict.fromkeys(run.condition for run in runs))
    report, done = Report(), 0
    for look in design.looks:
        batch = [run for run in runs if done <= run.seed < look and run.condition in conditions]
        report.add(execute(batch))
        done = look
        if report.ended_early:
            break
        try:
            standing = take_look(finished_runs(), runs)
        except UsageError:
            if report.failures:  # which say more than that there is nothing to compare
                break
            raise
        note(f"Look at {format_count(look, 'seed')} (of at most {design.most}):")
        for sentence in standing.sentences:
            note(f"  {sentence}")
        still_open = [name for name in dict.fromkeys(run.condition for run in runs) if standing.is_open(name)]
        if not still_open:
            note(f"Decided; {format_count(design.most - look, 'seed')} per condition not needed.")
            break
        conditions = [standing.reference, *still_open]
    return report
