"""Executes many runs one after the other; the failure of one stays with that one."""

import errno
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial

from dropout_lab.data.dataset import Dataset
from dropout_lab.data.selection import load_data
from dropout_lab.errors import DeviceError, DropoutLabError, Interrupted, TrackingUnavailable
from dropout_lab.runs.continuing import find_images, require_store, store_name
from dropout_lab.runs.outcome import Failure, Report, RunOutcome
from dropout_lab.runs.planning import PlannedRun
from dropout_lab.runs.provenance import Provenance, find_provenance
from dropout_lab.runs.runner import Runner
from dropout_lab.runs.sequential import execute_sequentially
from dropout_lab.runs.stopping import StopRequest
from dropout_lab.runs.watch import Reporter
from dropout_lab.runs.workspace import Workspace, workspaces
from dropout_lab.spec import DataSpec
from dropout_lab.tracking import Tracker, connect, read_runs
from dropout_lab.training.devices import resolve_device, use_threads

Job = tuple[str, Callable[[], RunOutcome]]


def execute_design(
    runs: Sequence[PlannedRun],
    reporter: Reporter,
    stop: StopRequest,
    *,
    fresh: bool = False,
    datasets: Mapping[DataSpec, Dataset],
    trackers: Mapping[str, Tracker],
) -> Report:
    """Train the runs of one spec: all of a fixed design, as many as needed of a sequential one.

    Args:
        runs: All planned runs of the spec.
        reporter, stop, fresh: As in `execute_runs`.
        datasets: Images by the data settings that choose them.
        trackers: Trackers by experiment.
    """
    return execute_sequentially(
        runs,
        lambda batch: execute_runs(batch, reporter, stop, fresh=fresh, datasets=datasets, trackers=trackers),
        lambda: read_runs(runs[0].origin.experiment),
        reporter.noted,
    )


def execute_runs(
    runs: Sequence[PlannedRun],
    reporter: Reporter,
    stop: StopRequest,
    *,
    fresh: bool = False,
    datasets: Mapping[DataSpec, Dataset] | None = None,
    trackers: Mapping[str, Tracker] | None = None,
) -> Report:
    """Train `runs`, skipping those that are finished and continuing those that were interrupted.

    Args:
        runs: Planned runs.
        reporter: Progress callbacks.
        stop: Ends the work, with the state saved, once it holds a signal.
        fresh: Retrain runs even if they are finished or interrupted.
        datasets: Images by the data settings that choose them, if they are loaded already.
        trackers: Trackers by experiment, if they are open already.

    Raises:
        DataError: If images are missing or damaged. Nothing was started, as for the next two.
        DeviceError: If a device is not available.
        TrackingError: If the store cannot be used.
    """
    if datasets is None:
        datasets = {data: load_data(data) for data in {run.settings.data for run in runs}}
    if trackers is None:
        trackers = {name: connect(name) for name in {run.origin.experiment for run in runs}}
    devices = {run: resolve_device(run.settings.device, run.settings.training.precision) for run in runs}
    for tracker in trackers.values():
        if renamed := tracker.renamed_to():
            reporter.noted(
                f"The experiment {tracker.experiment!r} is new. The one that had this name is now called"
                f" {renamed!r}; to reuse its runs, set `experiment: {renamed}` in the spec."
            )
    runners = _runners(trackers, reporter, stop, next((run.origin.path for run in runs), ""))
    found = [(workspace, state) for workspace in workspaces() if (state := workspace.read())]

    def job(run: PlannedRun) -> RunOutcome:
        runner = runners[run.origin.experiment]
        store = store_name(runner.tracker.location)
        for workspace, state in found if fresh else ():
            if state.stands_for(run) and state.store == store:
                with workspace.locked():
                    runner.abandon(workspace)
                    workspace.remove()
        spec = run.settings.data
        data = load_data(spec, run.seed) if spec.resample else datasets[spec]
        return runner.execute(run, data, devices[run], fresh=fresh)

    return _work([(run.name, partial(job, run)) for run in runs], reporter, stop)


def use_recorded_threads(found: Sequence[Workspace]) -> None:
    """Compute with as many threads as the first of `found` was started with, on whatever CPUs there are.

    TensorFlow takes the number when it starts; later calls change nothing.
    """
    for workspace in found:
        state = workspace.read()
        if state is not None and state.identity is not None and not workspace.has_result:
            count = state.identity.arithmetic.get("threads", "")
            if count.isdecimal():
                with suppress(DeviceError):  # TensorFlow has started; the run itself names the difference
                    use_threads(int(count))
                return


def resume_runs(found: Sequence[Workspace], reporter: Reporter, stop: StopRequest) -> Report:
    """Continue the runs of workspaces, or upload their results; what each folder holds says what to do.

    Args:
        found: Workspaces of the current folder.
        reporter: Progress callbacks.
        stop: Ends the work, with the state saved, once it holds a signal.
    """
    use_recorded_threads(found)
    provenance = find_provenance()
    trackers: dict[str, Tracker] = {}

    def job(workspace: Workspace) -> RunOutcome:
        with workspace.locked():
            state = workspace.read()
            if state is None:
                raise DropoutLabError(
                    f"The state in {workspace.path} is damaged, so this run cannot continue.",
                    hint=f"Drop it with `dropout-lab discard {workspace.path.name}`.",
                )
            require_store(state)
            experiment = state.run.origin.experiment
            if experiment not in trackers:
                trackers[experiment] = connect(experiment)
            runner = Runner(trackers[experiment], reporter, stop, provenance)
            if workspace.has_result and not workspace.result_problem():
                return runner.deliver(workspace, state)
            settings = state.run.settings
            device = resolve_device(settings.device, settings.training.precision)
            return runner.resume(workspace, state, find_images(state), device)

    return _work([(workspace.name, partial(job, workspace)) for workspace in found], reporter, stop)


def _work(jobs: Sequence[Job], reporter: Reporter, stop: StopRequest) -> Report:
    report = Report()
    stopped = False
    for name, job in jobs:
        if stop.signal_number and not stopped:
            report.interrupted = _interrupted(f"stopped before {name}.", stop.signal_number)
            stopped = True
        if stopped:
            report.not_started.append(name)
            continue
        try:
            outcome = job()
        except Interrupted as error:
            report.interrupted = error
            stopped = True
        except KeyboardInterrupt:
            report.interrupted = _interrupted(f"{name} stopped.", signal.SIGINT)
            stopped = True
        except Exception as error:
            if os.environ.get("DROPOUT_LAB_TRACEBACK") and not isinstance(error, DropoutLabError):
                raise
            failure = _worded(name, error)
            report.failures.append(failure)
            reporter.failed(failure)
            stopped = isinstance(error, TrackingUnavailable)
        else:
            report.outcomes.append(outcome)
            reporter.finished(outcome)
    return report


def _interrupted(message: str, signal_number: int) -> Interrupted:
    hint = "To continue, run `dropout-lab resume` or repeat the command."
    return Interrupted(message, signal_number=signal_number, hint=hint)


def _worded(name: str, error: Exception) -> Failure:
    """Return a failure that keeps the words of an error, and not the memory that its traceback holds."""
    if isinstance(error, DropoutLabError):
        return Failure(name, error.message, error.hint or "", error.exit_code)
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        room = (
            "Free disk space, then run" if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) else "Run"
        )
        return Failure(
            name,
            f"{where}{error.strerror or error}",
            f"{room} `dropout-lab resume` to continue from the saved state.",
        )
    if isinstance(error, MemoryError):
        return Failure(
            name,
            "out of memory",
            "Free memory and run `dropout-lab resume`, or use a smaller training.batch_size"
            " (starts a new run).",
        )
    return Failure(
        name,
        f"unexpected {type(error).__name__}: {error}",
        "This is a bug in dropout_lab. Please report it; DROPOUT_LAB_TRACEBACK=1 shows the traceback.",
    )


def _runners(
    trackers: Mapping[str, Tracker], reporter: Reporter, stop: StopRequest, spec: str
) -> dict[str, Runner]:
    provenance: Provenance = find_provenance(spec)
    if provenance.note:
        reporter.noted(provenance.note)
    return {name: Runner(tracker, reporter, stop, provenance) for name, tracker in trackers.items()}
