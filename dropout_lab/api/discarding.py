"""Give up interrupted runs from Python; `dropout-lab discard` asks first."""

from collections.abc import Callable

from dropout_lab.api.results import warn
from dropout_lab.errors import UsageError
from dropout_lab.libraries import quiet_libraries
from dropout_lab.runs.choosing import choose_workspace
from dropout_lab.runs.workspace import workspaces


def discard(
    run: str | None = None, *, all_runs: bool = False, note: Callable[[str], None] = warn
) -> tuple[str, ...]:
    """Discard interrupted runs of the current folder, without asking.

    Deletes their checkpoints and results, and marks them as KILLED in MLflow.

    Args:
        run: Run name, run ID or ID prefix, also as ``EXPERIMENT/RUN``.
        all_runs: Whether all interrupted runs are discarded, in place of `run`.
        note: Called with a message if a run cannot be marked in MLflow. [default: a warning]

    Returns:
        Names of the discarded runs.

    Raises:
        UsageError: If `run` matches no interrupted run, or several; or neither or both of `run` and
            `all_runs` are given. Nothing was discarded.
        DropoutLabError: If a process trains some of the runs; the others were discarded.

    Examples:
        >>> import dropout_lab as dl
        >>> dl.discard(all_runs=True)  # there are none
        ()
    """
    if (run is None) != all_runs:
        raise UsageError("run: name one run, or pass all_runs=True")
    discarded: list[str] = []
    with quiet_libraries():
        from dropout_lab.runs.discarding import discard_all

        discard_all(workspaces() if run is None else [choose_workspace(run)], note, discarded.append)
    return tuple(discarded)
