"""From the result in a workspace to a finished run in the tracking store; needs no TensorFlow."""

import uuid
from collections.abc import Mapping
from dataclasses import replace

from dropout_lab.errors import TrackingError
from dropout_lab.records import RunStart
from dropout_lab.runs.continuing import CannotContinueError
from dropout_lab.runs.outcome import RunOutcome
from dropout_lab.runs.planning import PlannedRun
from dropout_lab.runs.reporter import Reporter
from dropout_lab.runs.result import draw_plots, read_result
from dropout_lab.runs.uploading import upload_result
from dropout_lab.runs.workspace import State, Workspace
from dropout_lab.tracking import Tracker, links


def deliver(
    tracker: Tracker, reporter: Reporter, workspace: Workspace, state: State, *, is_running: bool = False
) -> RunOutcome:
    """Upload the result of a workspace, whose lock is held; nothing is logged twice.

    Args:
        tracker: Tracker of the run's experiment.
        reporter: Progress callbacks.
        workspace: The workspace.
        state: Its state.
        is_running: Whether its MLflow run is RUNNING in this process, since it was trained just now.
    """
    reporter.entered(state.run, "logging results")
    result = read_result(workspace.result)
    try:
        draw_plots(workspace.result, result)
    except Exception as error:
        reporter.noted(f"{state.run.name}: its plots could not be drawn ({error}).")
    try:
        if is_running and tracker.has_run(state.run_id):
            workspace.require_lock()
            run_id = state.run_id
        else:
            run_id = started(tracker, reporter, workspace, state, state.start)
        upload_result(state.run, run_id, result, workspace.result, tracker, reporter)
    except TrackingError as error:
        reporter.noted(
            f"{state.run.name} finished but could not be logged: {error.message}"
            " The result is saved locally; run `dropout-lab sync`."
        )
        return outcome_of(tracker, state.run, state.run_id, result.metrics, delivered=False)
    workspace.remove()
    return outcome_of(tracker, state.run, run_id, result.metrics)


def started(
    tracker: Tracker, reporter: Reporter, workspace: Workspace, state: State, start: RunStart | None
) -> str:
    """Return the MLflow run of a workspace: one and the same, at whatever moment earlier calls died.

    Args:
        tracker: Tracker of the run's experiment.
        reporter: Progress callbacks.
        workspace: The workspace, whose lock is held.
        state: Its state.
        start: What is logged if the MLflow run is new; None if it is not known.

    Raises:
        CannotContinueError: If there is no such run, and `start` is not known.
        TrackingError: If the store does not take it.
    """
    if state.run_id and tracker.has_run(state.run_id):
        workspace.write(state)
        tracker.resume_run(state.run_id)
        return state.run_id
    if state.run_id:
        reporter.noted(
            f"The MLflow run {state.run_id[:8]} of {state.run.name} no longer exists in {state.store};"
            " logging it as a new run."
        )
        state = replace(state, run_id="", start_id=uuid.uuid4().hex)
    if start is None:
        raise CannotContinueError(state, ["saved by another version of dropout_lab"])
    state = replace(state, start=start)
    workspace.write(state)
    run_id = tracker.start_run(start, start_id=state.start_id)
    workspace.write(replace(state, run_id=run_id))
    return run_id


def outcome_of(
    tracker: Tracker, run: PlannedRun, run_id: str, metrics: Mapping[str, float], *, delivered: bool = True
) -> RunOutcome:
    """Return the outcome of a run in the experiment of `tracker`."""
    base = links.base_address(tracker.location.uri)
    address = links.run_address(base, tracker.experiment_id, run_id)
    return RunOutcome(run, run_id, dict(metrics), address, delivered=delivered)
