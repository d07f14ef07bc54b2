"""Give up interrupted runs."""

from collections.abc import Callable, Sequence

from dropout_lab.errors import DropoutLabError, TrackingError
from dropout_lab.runs.continuing import CannotContinueError, require_store
from dropout_lab.runs.workspace import RunLockedError, Workspace
from dropout_lab.tracking import discard_run


def discard_all(found: Sequence[Workspace], note: Callable[[str], None], done: Callable[[str], None]) -> None:
    """Discard workspaces; see `discard`.

    Args:
        found: Workspaces of the current folder.
        note: Called with a message if an MLflow run could not be marked.
        done: Called with the name of each run that was discarded.

    Raises:
        DropoutLabError: If processes train some of the runs; the others were discarded.
    """
    locked = []
    for workspace in found:
        name = workspace.name
        try:
            discard(workspace, note)
        except RunLockedError as error:
            locked.append(f"{name}: {error.message}")
        else:
            done(name)
    if locked:
        raise DropoutLabError("\n".join(locked), hint="Stop it first, then repeat the command.")


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
