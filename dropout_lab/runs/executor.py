"""Executes many runs one after the other in this process."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial

from dropout_lab.data.dataset import Dataset
from dropout_lab.data.selection import load_all, load_data
from dropout_lab.errors import DeviceError
from dropout_lab.runs.continuing import find_data, known_state, store_name
from dropout_lab.runs.deliveries import Deliveries, pays
from dropout_lab.runs.delivering import deliver
from dropout_lab.runs.jobs import work
from dropout_lab.runs.networks import resolve_networks
from dropout_lab.runs.outcome import Report, RunOutcome
from dropout_lab.runs.planning import PlannedRun
from dropout_lab.runs.preparing import prepare_runs
from dropout_lab.runs.provenance import Provenance, find_provenance
from dropout_lab.runs.pruning import RunPruned
from dropout_lab.runs.reporter import Reporter
from dropout_lab.runs.runner import Runner
from dropout_lab.runs.sequential import execute_sequentially
from dropout_lab.runs.stopping import StopRequest
from dropout_lab.runs.tasks import recorded_threads
from dropout_lab.runs.workspace import Workspace, workspaces
from dropout_lab.spec import DataSpec
from dropout_lab.tracking import Tracker, connect, read_runs
from dropout_lab.training.devices import resolve_device, use_threads


class Executor:
    """Executes single runs in this process, with one tracker per experiment and each dataset loaded once.

    Args:
        reporter: Progress callbacks.
        stop: Ends a run, with its state saved, once it holds a signal.
        provenance: Commit and versions, logged with each run.
        datasets: Datasets by the settings that choose them, if they are loaded already.
        trackers: Trackers by experiment, if they are open already.
        deliveries: Takes results to upload while the next run trains. [default: results are uploaded here]
    """

    def __init__(
        self,
        reporter: Reporter,
        stop: StopRequest,
        provenance: Provenance,
        *,
        datasets: Mapping[DataSpec, Dataset] | None = None,
        trackers: Mapping[str, Tracker] | None = None,
        deliveries: Deliveries | None = None,
    ) -> None:
        self._reporter = reporter
        self._stop = stop
        self._provenance = provenance
        self._datasets = dict(datasets or {})
        self._trackers = dict(trackers or {})
        self._deliveries = deliveries

    def execute(self, run: PlannedRun, *, fresh: bool = False, is_last: bool = True) -> RunOutcome:
        """Train `run`, continue it, or find that it is finished; raises what `Runner.execute` raises.

        A run that the reporter ends as pruned has an outcome, too.

        Args:
            run: A planned run.
            fresh: Retrain it even if it is finished or interrupted.
            is_last: Whether no run follows during which its result could be uploaded.
        """
        runner = self._runner(run.origin.experiment, None if is_last else self._deliveries)
        if fresh:
            _abandon_all(run, runner)
        device = resolve_device(run.settings.device, run.settings.training.precision)
        try:
            return runner.execute(run, self._data(run), device, fresh=fresh)
        except RunPruned as pruned:
            return RunOutcome(run, pruned.run_id, {}, pruned=pruned.message)

    def resume(self, workspace: Workspace) -> RunOutcome:
        """Continue the run of a workspace, or upload its result; what the folder holds says what to do."""
        with workspace.locked(lambda sentence: self._reporter.noted(f"{workspace.name}: {sentence}")):
            state = known_state(workspace)
            runner = self._runner(state.run.origin.experiment)
            if workspace.has_result and not workspace.result_problem():
                return deliver(runner.tracker, self._reporter, workspace, state)
            settings = state.run.settings
            device = resolve_device(settings.device, settings.training.precision)
            return runner.resume(workspace, state, find_data(state, self._data), device)

    def _runner(self, experiment: str, deliveries: Deliveries | None = None) -> Runner:
        if experiment not in self._trackers:
            self._trackers[experiment] = connect(experiment)
        tracker = self._trackers[experiment]
        return Runner(tracker, self._reporter, self._stop, self._provenance, deliveries)

    def _data(self, run: PlannedRun) -> Dataset:
        spec = run.settings.data
        if spec not in self._datasets:
            self._datasets[spec] = load_data(spec)
        return self._datasets[spec].for_seed(run.seed)


def _abandon_all(run: PlannedRun, runner: Runner) -> None:
    """Drop every workspace that stands for `run`, also those of other settings or code."""
    store = store_name(runner.tracker.location)
    for workspace in workspaces():
        state = workspace.read()
        if state is not None and state.stands_for(run) and state.store == store:
            with workspace.locked():
                runner.abandon(workspace)
                workspace.remove()


def execute_design(
    runs: Sequence[PlannedRun],
    reporter: Reporter,
    stop: StopRequest,
    *,
    fresh: bool = False,
    fail_fast: bool = False,
    datasets: Mapping[DataSpec, Dataset],
    trackers: Mapping[str, Tracker],
) -> Report:
    """Train the runs of one spec: all of a fixed design, as many as needed of a sequential one.

    Args:
        runs: All planned runs of the spec.
        reporter, stop, fresh, fail_fast: As in `execute_runs`.
        datasets: Datasets by the settings that choose them.
        trackers: Trackers by experiment.
    """
    with Deliveries(reporter) as deliveries:
        execute = partial(
            execute_runs,
            reporter=reporter,
            stop=stop,
            fresh=fresh,
            fail_fast=fail_fast,
            datasets=datasets,
            trackers=trackers,
            deliveries=deliveries if pays(len(runs)) else None,
        )
        return execute_sequentially(
            runs, execute, lambda: read_runs(runs[0].origin.experiment), reporter.noted
        )


def execute_runs(
    runs: Sequence[PlannedRun],
    reporter: Reporter,
    stop: StopRequest,
    *,
    fresh: bool = False,
    fail_fast: bool = False,
    datasets: Mapping[DataSpec, Dataset] | None = None,
    trackers: Mapping[str, Tracker] | None = None,
    deliveries: Deliveries | None = None,
) -> Report:
    """Train `runs`, skipping those that are finished and continuing those that were interrupted.

    Args:
        runs: Planned runs.
        reporter: Progress callbacks.
        stop: Ends the work, with the state saved, once it holds a signal.
        fresh: Retrain runs even if they are finished or interrupted.
        fail_fast: Whether no run is started after the first failure.
        datasets: Datasets by the settings that choose them, if they are loaded already.
        trackers: Trackers by experiment, if they are open already.
        deliveries: Uploads results while the next run trains. [default: results are uploaded in between]

    Raises:
        DataError: If data are missing or damaged. Nothing was started, as for the next three.
        DeviceError: If a device is not available.
        UsageError: If a network cannot be built, or its rates do not fit its sites.
        TrackingError: If the store cannot be used.
    """
    if datasets is None:
        datasets = load_all(run.settings.data for run in runs)
    if trackers is None:
        trackers = {name: connect(name) for name in {run.origin.experiment for run in runs}}
    for run in runs:
        resolve_device(run.settings.device, run.settings.training.precision)
    runs = resolve_networks(runs, datasets)
    provenance = prepare_runs(runs, trackers.values(), reporter)
    executor = Executor(
        reporter, stop, provenance, datasets=datasets, trackers=trackers, deliveries=deliveries
    )
    jobs = [
        (run.name, partial(executor.execute, run, fresh=fresh, is_last=number == len(runs)))
        for number, run in enumerate(runs, start=1)
    ]
    report = work(jobs, reporter, stop, fail_fast=fail_fast)
    if deliveries is not None:
        deliveries.settle(report, executor.resume)
    return report


def use_recorded_threads(found: Sequence[Workspace]) -> None:
    """Compute with as many threads as the first of `found` was started with, on whatever CPUs there are.

    TensorFlow takes the number when it starts; later calls change nothing.
    """
    for workspace in found:
        state = workspace.read()
        trains = bool(workspace.result_problem())  # a whole result is only uploaded
        if state is not None and trains and (threads := recorded_threads(state)):
            with suppress(DeviceError):  # TensorFlow has started; the run itself names the difference
                use_threads(threads)
            return


def resume_runs(found: Sequence[Workspace], reporter: Reporter, stop: StopRequest) -> Report:
    """Continue the runs of workspaces, or upload their results; what each folder holds says what to do.

    Args:
        found: Workspaces of the current folder.
        reporter: Progress callbacks.
        stop: Ends the work, with the state saved, once it holds a signal.
    """
    use_recorded_threads(found)
    executor = Executor(reporter, stop, find_provenance())
    jobs = [(workspace.name, partial(executor.resume, workspace)) for workspace in found]
    return work(jobs, reporter, stop)
