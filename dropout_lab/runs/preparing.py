"""What is found out, and told, once before the runs of a call start."""

from collections.abc import Iterable, Sequence

from dropout_lab.runs.planning import PlannedRun
from dropout_lab.runs.provenance import Provenance, find_provenance
from dropout_lab.runs.reporter import Reporter
from dropout_lab.tracking import Tracker


def prepare_runs(runs: Sequence[PlannedRun], trackers: Iterable[Tracker], reporter: Reporter) -> Provenance:
    """Return where `runs` come from, and note what the user should know before they start.

    Args:
        runs: Planned runs of one spec.
        trackers: Trackers of their experiments.
        reporter: Progress callbacks.
    """
    descriptions = {run.origin.experiment: run.origin.description for run in runs}
    for tracker in trackers:
        if renamed := tracker.renamed_to():
            reporter.noted(
                f"The experiment {tracker.experiment!r} is new. The one that had this name is now called"
                f" {renamed!r}; to reuse its runs, set `experiment: {renamed}` in the spec."
            )
        tracker.describe(descriptions.get(tracker.experiment, ""))
        if sum(run.origin.experiment == tracker.experiment for run in runs) > 1:
            tracker.open_study()
    provenance = find_provenance(next((run.origin.path for run in runs), ""))
    if provenance.note:
        reporter.noted(provenance.note)
    return provenance
