"""Delete runs and experiments for good, with what is left of them in this folder."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from dropout_lab.runs.continuing import store_name
from dropout_lab.runs.studies import refresh
from dropout_lab.runs.workspace import State, Workspace, workspaces
from dropout_lab.tracking import locate
from dropout_lab.tracking.deleting import Doomed, choose_doomed, delete_doomed


@dataclass(frozen=True, kw_only=True)
class Deletion:
    """What a deletion deletes.

    Attributes:
        doomed: Entries and files in the tracking store.
        workspaces: What interrupted runs have left in this folder.
    """

    doomed: Doomed
    workspaces: tuple[Workspace, ...]


def plan_deletion(references: Sequence[str]) -> Deletion:
    """Find what to delete; see `choose_doomed`."""
    doomed = choose_doomed(references)
    store = store_name(locate())
    states = {workspace: workspace.read() for workspace in workspaces()}
    chosen = (one for one, state in states.items() if state is not None and _belongs(state, doomed, store))
    return Deletion(doomed=doomed, workspaces=tuple(chosen))


def delete(deletion: Deletion, note: Callable[[str], None]) -> None:
    """Delete what was planned.

    Args:
        deletion: The plan.
        note: Called with a message for each artifact that could not be deleted, and each summary that
            could not be logged again.

    Raises:
        RunLockedError: If a process trains one of the runs; nothing was deleted.
        TrackingError: If the store refuses.
    """
    with ExitStack() as locks:
        for workspace in deletion.workspaces:
            locks.enter_context(workspace.locked())
        delete_doomed(deletion.doomed, note)
        for workspace in deletion.workspaces:
            workspace.remove()
    for problem in refresh(deletion.doomed.changed_experiments):
        note(problem)


def _belongs(state: State, doomed: Doomed, store: str) -> bool:
    is_of_experiment = state.run.origin.experiment in doomed.experiments.values()
    return state.run_id in doomed.run_ids or (state.store == store and is_of_experiment)
