"""Continue interrupted runs from Python."""

from dropout_lab.api.run_result import RunResult
from dropout_lab.api.training import ONE_CALL_AT_A_TIME, pass_on, show_progress, starting
from dropout_lab.libraries import quiet_libraries
from dropout_lab.runs.choosing import choose_workspaces
from dropout_lab.runs.outcome import Report
from dropout_lab.runs.resuming import resume_workspaces, workers_to_resume


def resume(
    run: str | None = None,
    *,
    workers: int | str | None = None,
    executor: str = "local",
    address: str | None = None,
    progress: bool = True,
    check: bool = True,
) -> RunResult:
    """Resume the interrupted runs of the current folder, as ``dropout-lab resume`` does.

    Results are identical to those of uninterrupted runs. Finished results that could not be logged earlier
    are uploaded.

    Args:
        run: Run name, run ID or ID prefix, also as ``EXPERIMENT/RUN``. A name of several runs continues all
            of them. [default: all interrupted runs]
        workers: Number of processes that train at once, or ``"auto"``. Each run continues with the number of
            threads that it was started with. [default: this process alone; on a cluster, as many as it has
            room for]
        executor: Where runs are trained: ``"local"`` or ``"ray"``.
        address: Ray cluster, as in `run`.
        progress: Whether progress is shown.
        check: Whether runs that failed raise an error, after the others were tried.

    Returns:
        The runs that are finished now, and failures.

    Raises:
        UsageError: If `run`, `workers`, `executor` or `address` is invalid, or Ray is not installed. Nothing
            was started.
        ClusterError: If the cluster cannot be used.
        KeyboardInterrupt: If the call was interrupted. The state is saved; the same call continues.
        DropoutLabError: If runs failed and `check` is true.

    Examples:
        >>> import dropout_lab as dl
        >>> dl.resume().runs.empty  # there are none
        True
    """
    with ONE_CALL_AT_A_TIME, quiet_libraries():
        found = choose_workspaces(run)
        count = None if workers is None else str(workers)
        with workers_to_resume(found, starting, executor, count, address) as plan:
            if not found:
                return RunResult((), Report())
            planned = tuple(state.run for workspace in found if (state := workspace.read()))
            display = show_progress(len(found), progress, at_once=plan is not None and plan.count > 1)
            report = resume_workspaces(found, display, starting, plan=plan)
    if report.interrupted is not None:
        pass_on(report.interrupted)
    if check:
        report.raise_problems()
    return RunResult(planned, report)
