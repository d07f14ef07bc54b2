"""Decide whether an interrupted run can continue to the weights that it was started for."""

from collections.abc import Callable, Sequence
from pathlib import Path

from dropout_lab.data import fashion_mnist
from dropout_lab.data.dataset import Dataset
from dropout_lab.data.idx_files import FOLDER_VARIABLE
from dropout_lab.data.idx_files import locate as locate_images
from dropout_lab.data.opening import check_source
from dropout_lab.data.selection import select
from dropout_lab.errors import DataError, DropoutLabError, FunctionError, TrackingError, UsageError
from dropout_lab.runs.identity import Identity
from dropout_lab.runs.planning import PlannedRun
from dropout_lab.runs.workspace import State, Workspace, workspaces
from dropout_lab.tracking import Location, has_run, locate


class CannotContinueError(UsageError):
    """An interrupted run would not end with the weights that it was started for.

    Args:
        state: State of its workspace.
        reasons: What is different now.
        remedy: How to resume it; by default to undo the differences.
    """

    def __init__(self, state: State, reasons: Sequence[str], remedy: str = "Undo this change") -> None:
        reference = state.reference
        super().__init__(
            f"run {reference} cannot continue: {'; '.join(reasons)}.",
            hint=f"{remedy}{'' if remedy.endswith(':') else ' and'} run `dropout-lab resume {reference}`,"
            f" or drop it with `dropout-lab discard {reference}`.",
        )


class WorkspaceGoneError(DropoutLabError):
    """Another command has finished or discarded the run of a workspace meanwhile."""


def store_name(location: Location) -> str:
    """Return the name of a tracking store, without secrets. It is relative if the store is in this folder."""
    here = Path.cwd()
    if location.file is not None and location.file.is_relative_to(here):
        return location.file.relative_to(here).as_posix()
    return location.shown


def known_state(workspace: Workspace) -> State:
    """Return the state of a workspace.

    Raises:
        WorkspaceGoneError: If it has none any more.
        DropoutLabError: If it is damaged.
        CannotContinueError: If its run is in another store than the current one.
    """
    state = workspace.read()
    if state is None and workspace not in workspaces():
        raise WorkspaceGoneError(
            "Another command has finished or discarded this run.",
            hint="See what became of it with `dropout-lab runs`.",
        )
    if state is None:
        raise DropoutLabError(
            f"The state in {workspace.path} is damaged, so this run cannot continue.",
            hint=f"Drop it with `dropout-lab discard {workspace.path.name}`.",
        )
    require_store(state)
    return state


def require_store(state: State) -> None:
    """Raise CannotContinueError if the run is in another store than the current one."""
    now = store_name(locate())
    if state.store in ("", now):
        return
    try:
        if state.run_id and has_run(state.run_id):  # the same store under another address
            return
    except TrackingError:
        pass
    raise CannotContinueError(
        state,
        [f"it is logged to {state.store}, but the tracking store is now {now}"],
        "Unset MLFLOW_TRACKING_URI" if state.store == "mlflow.db" else "Set MLFLOW_TRACKING_URI to its store",
    )


def require_same(state: State, now: Identity) -> None:
    """Raise CannotContinueError if the run of `state` would now be trained to other weights."""
    if state.identity is None:
        raise CannotContinueError(state, ["it was started with another version of dropout_lab"])
    if changes := state.identity.changes(now):
        remedy = "Undo this change" if len(changes) == 1 else "Undo these changes"
        if len(changes) == 1 and changes[0].startswith("threads "):
            remedy = "Resume it by itself, with the threads that it was started with:"
        raise CannotContinueError(state, changes, remedy)


def leftovers(run: PlannedRun, now: Identity, store: str) -> list[str]:
    """Return why interrupted runs of the condition and seed of `run` are not what continues.

    Args:
        run: A run that starts now.
        now: Its identity.
        store: Name of its tracking store.
    """
    sentences = []
    for workspace in workspaces():
        state = workspace.read()
        if state is None or state.identity is None or not state.stands_for(run):
            continue
        if state.store != store:
            reason = f"it is logged to {state.store}"
        elif state.identity.settings == now.settings:
            reason = "; ".join(state.identity.changes(now))
        else:  # another trial
            continue
        way_out = f"Drop it with `dropout-lab discard {state.reference}`"
        if workspace.has_result:
            way_out = "Upload its result with `dropout-lab sync`"
        sentences.append(
            f"{run.name} starts again, because run {state.reference} cannot continue here: {reason}."
            f" {way_out}."
        )
    return sentences


def find_data(state: State, load: Callable[[PlannedRun], Dataset]) -> Dataset:
    """Return the data that an interrupted run was started with.

    Files of Fashion-MNIST are looked for in the folder where they were, then where its spec and
    DROPOUT_LAB_DATA say now. Whether other data are the same is left to `require_same`.

    Args:
        state: State of its workspace.
        load: Returns the data of a planned run.

    Raises:
        CannotContinueError: If they are nowhere.
    """
    spec = state.run.settings.data
    if spec.dataset != fashion_mnist.NAME:
        try:
            return load(state.run)
        except (DataError, FunctionError) as error:
            raise CannotContinueError(state, [f"its data cannot be loaded ({error.message})"]) from None
    digest = state.identity.data if state.identity else ""
    reasons = []
    for name in dict.fromkeys((state.data_folder or None, spec.folder, None)):
        try:
            folder = locate_images(name)
            if folder is None:
                continue
            source = check_source(fashion_mnist.read_source(folder), spec)
            data = select(source, spec, state.run.seed)
        except DataError as error:
            reasons.append(error.message)
            continue
        if data.fingerprint.digest == digest:
            return data
        reasons.append(f"{folder} has other images")
    raise CannotContinueError(
        state,
        ["its images are missing", *dict.fromkeys(reasons)],
        f"Set {FOLDER_VARIABLE} to the folder of its images",
    )
