"""From the planned runs of specs to their outcomes: data, networks, tracking, then training."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING

from dropout_lab.data.selection import load_all
from dropout_lab.runs.checking import check_runs
from dropout_lab.runs.executors import Starting, Workers
from dropout_lab.runs.outcome import Report
from dropout_lab.runs.planning import PlannedRun, needs_building
from dropout_lab.runs.reporter import Reporter
from dropout_lab.runs.stopping import listen_for_stop

if TYPE_CHECKING:
    from dropout_lab.tracking import Tracker


def train_designs(
    designs: Sequence[Sequence[PlannedRun]],
    display: AbstractContextManager[Reporter],
    starting: Starting,
    *,
    plan: Workers | None = None,
    fresh: bool = False,
    fail_fast: bool = False,
) -> tuple[list[PlannedRun], Report]:
    """Train the runs of specs, one spec after the other, in this process or in workers.

    Settings of Keras and states of random numbers are restored afterwards.

    Args:
        designs: All planned runs of each spec.
        display: Progress callbacks, entered for the time of training.
        starting: Entered while TensorFlow or MLflow starts.
        plan: Workers that train at once. [default: this process alone]
        fresh: Retrain runs even if they are finished or interrupted.
        fail_fast: Whether no run is started after the first failure.

    Returns:
        The runs with their networks resolved, and their outcomes.

    Raises:
        DataError: If data are missing or damaged, or not what an evaluation needs. Nothing was started or
            logged, as for the next two.
        UsageError: If a network cannot be built, its rates do not fit its sites, a schedule changes after
            the last step, or images are changed that are none.
        DeviceError: If a device is not available.
        TrackingError: If the store cannot be used.
    """
    # Cheap checks fail before TensorFlow has started, and all checks before anything is logged.
    datasets = load_all(run.settings.data for design in designs for run in design)
    check_runs([run for design in designs for run in design], datasets)
    if any(needs_building(run, datasets[run.settings.data]) for design in designs for run in design):
        with starting("TensorFlow"):
            from dropout_lab.runs.networks import resolve_networks
            from dropout_lab.training.own_state import own_state
        with own_state():
            designs = [resolve_networks(design, datasets) for design in designs]
    runs = [run for design in designs for run in design]
    notes = dict.fromkeys(note for dataset in datasets.values() for note in dataset.notes)
    notes |= dict.fromkeys(note for run in runs for note in run.settings.model.notes)
    with starting("MLflow"):
        from dropout_lab.tracking import connect

        trackers = {name: connect(name) for name in {run.origin.experiment for run in runs}}
    if plan is not None:
        from dropout_lab.runs.workers import execute_design_in_workers

        with listen_for_stop() as stop, display as reporter:
            in_workers = partial(execute_design_in_workers, reporter=reporter, stop=stop, plan=plan)
            execute = partial(in_workers, fresh=fresh, fail_fast=fail_fast, trackers=trackers)
            return runs, _in_turn(designs, execute, reporter, notes, trackers)
    with starting("TensorFlow"):
        from dropout_lab.runs.executor import execute_design
        from dropout_lab.training.devices import resolve_device
        from dropout_lab.training.own_state import own_state

        resolve_device("auto")  # TensorFlow logs, too, when it first looks for devices
    with own_state(), listen_for_stop() as stop, display as reporter:
        here = partial(execute_design, reporter=reporter, stop=stop, datasets=datasets)
        execute = partial(here, fresh=fresh, fail_fast=fail_fast, trackers=trackers)
        return runs, _in_turn(designs, execute, reporter, notes, trackers)


def _in_turn(
    designs: Sequence[Sequence[PlannedRun]],
    execute: Callable[[Sequence[PlannedRun]], Report],
    reporter: Reporter,
    notes: Iterable[str],
    trackers: Mapping[str, "Tracker"],
) -> Report:
    """Report `notes` on the data, then return the outcomes of all designs; none starts after an early end."""
    from dropout_lab.runs.studies import summarize

    for note in notes:
        reporter.noted(note)
    report = Report()
    for design in designs:
        if report.ended_early:
            report.not_started += [run.name for run in design]
        else:
            report.add(execute(design))
            if problem := summarize(trackers[design[0].origin.experiment], design):
                reporter.noted(problem)
    return report
