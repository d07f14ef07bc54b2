"""Choose among the interrupted runs of this folder."""

from dropout_lab.errors import UsageError, did_you_mean
from dropout_lab.runs.workspace import State, Workspace, workspaces


def choose_workspaces(reference: str | None) -> list[Workspace]:
    """Return the workspaces that `reference` names; all if it is None.

    Args:
        reference: ``[EXPERIMENT/]RUN``, RUN being a run's name, its ID, or the beginning of one. Several
            runs can have the same name.

    Raises:
        UsageError: If it names none.
    """
    found = workspaces()
    if reference is None:
        return found
    chosen = [workspace for workspace in found if _matches(workspace, reference)]
    if not chosen:
        names = [_place(workspace) if "/" in reference else workspace.name for workspace in found]
        raise UsageError(
            f"No interrupted run {reference!r} in this folder{did_you_mean(reference, names)}",
            hint=f"Interrupted runs: {', '.join(names)}." if names else "There are no interrupted runs here.",
        )
    return chosen


def choose_workspace(reference: str) -> Workspace:
    """Return the workspace that `reference` names; see `choose_workspaces`.

    Raises:
        UsageError: If it names none, or several.
    """
    chosen = choose_workspaces(reference)
    if len(chosen) > 1:
        candidates = "; ".join(sorted(f"{_place(one)} ({_run_id(one, one.read())[:8]})" for one in chosen))
        raise UsageError(
            f"{reference!r} matches {len(chosen)} interrupted runs: {candidates}",
            hint="Use EXPERIMENT/RUN, or a longer ID prefix.",
        )
    return chosen[0]


def _matches(workspace: Workspace, reference: str) -> bool:
    experiment, slash, name = reference.rpartition("/")
    state = workspace.read()
    if slash and (state is None or state.run.origin.experiment != experiment):
        return False
    is_name = state is not None and name == state.run.name
    return is_name or (len(name) >= 4 and _run_id(workspace, state).startswith(name))


def _run_id(workspace: Workspace, state: State | None) -> str:
    """Return the ID of the MLflow run; the name of the folder as long as there is none."""
    return (state.run_id if state else "") or workspace.path.name


def _place(workspace: Workspace) -> str:
    """Return ``EXPERIMENT/RUN``; the name of the folder if the state is damaged."""
    state = workspace.read()
    return workspace.name if state is None else f"{state.run.origin.experiment}/{state.run.name}"
