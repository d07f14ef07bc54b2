"""Give up an interrupted run."""

from collections.abc import Callable

from dropout_lab.errors import TrackingError
from dropout_lab.runs.continuing import CannotContinueError, require_store
from dropout_lab.runs.workspace import Workspace
from dropout_lab.tracking import discard_run


def discard(workspace: Workspace, note: Callable[[str], None]) -> None:
    """Delete a workspace, and mark its MLflow run as KILLED.

    Args:
        workspace: Workspace of the current folder.
        note: Called with a message if the MLflow run could not be marked.

    Raises:
        RunLockedError: If a process trains the run.
    """
    with workspace.locked():
        state = workspace.read()
        if state is not None and state.run_id:
            try:
                require_store(state)
                discard_run(state.run_id)
            except (CannotContinueError, TrackingError) as error:
                note(f"{state.run.name} was not marked in MLflow. {error.message}")
        workspace.remove()
