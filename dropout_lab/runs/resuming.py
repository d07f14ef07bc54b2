"""Continue the interrupted runs of this folder, in this process or in workers."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

from dropout_lab.errors import DropoutLabError
from dropout_lab.runs.executors import Starting, Workers, chosen_workers
from dropout_lab.runs.failures import worded
from dropout_lab.runs.outcome import Report
from dropout_lab.runs.provenance import find_provenance
from dropout_lab.runs.reporter import Reporter
from dropout_lab.runs.stopping import StopRequest, listen_for_stop
from dropout_lab.runs.tasks import Task, recorded_threads
from dropout_lab.runs.worker_plan import parse_count
from dropout_lab.runs.workspace import Workspace


@contextmanager
def workers_to_resume(
    found: Sequence[Workspace],
    starting: Starting,
    executor: str = "local",
    workers: str | None = None,
    address: str | None = None,
) -> Iterator[Workers | None]:
    """Start what continues the runs of workspaces inside this context; see `chosen_workers`.

    Args:
        found: Workspaces of the current folder; without any, nothing is started.
        starting, executor, workers, address: As in `chosen_workers`.
    """
    if not found:
        if workers is not None:
            parse_count(workers)
        yield None
        return
    runs = [state.run for workspace in found if (state := workspace.read())]
    with chosen_workers(executor, workers, address, runs, starting) as plan:
        yield plan


def resume_workspaces(
    found: Sequence[Workspace],
    display: AbstractContextManager[Reporter],
    starting: Starting,
    *,
    plan: Workers | None = None,
) -> Report:
    """Continue the runs of workspaces, or upload their results; what each folder holds says what to do.

    Args:
        found: Workspaces of the current folder.
        display: Progress callbacks, entered for the time of training.
        starting: Entered while TensorFlow or MLflow starts.
        plan: Workers that train at once. [default: this process alone]
    """
    if plan is not None:
        with starting("MLflow"):
            import dropout_lab.runs.workers  # noqa: F401 - starts MLflow
        with listen_for_stop() as stop, display as reporter:
            return _with_summaries(_resume_in_workers(found, reporter, stop, plan), reporter)
    with starting("TensorFlow"):
        from dropout_lab.runs.executor import resume_runs, use_recorded_threads
        from dropout_lab.training.devices import resolve_device
        from dropout_lab.training.own_state import own_state

        use_recorded_threads(found)
        resolve_device("auto")  # TensorFlow logs, too, when it first looks for devices
    with own_state(), listen_for_stop() as stop, display as reporter:
        return _with_summaries(resume_runs(found, reporter, stop), reporter)


def _with_summaries(report: Report, reporter: Reporter) -> Report:
    """Log the summaries of the experiments whose runs are finished now."""
    from dropout_lab.runs.studies import refresh

    for problem in refresh(outcome.run.origin.experiment for outcome in report.outcomes if outcome.delivered):
        reporter.noted(problem)
    return report


def _resume_in_workers(
    found: Sequence[Workspace], reporter: Reporter, stop: StopRequest, plan: Workers
) -> Report:
    from dropout_lab.runs.workers import WorkerPool
    from dropout_lab.tracking import connect

    report, tasks = Report(), []
    for workspace in found:
        try:
            tasks.append(_task(workspace))
        except DropoutLabError as error:
            report.failures.append(worded(workspace.name, error))
            reporter.failed(report.failures[-1])
    for experiment in {task.run.origin.experiment for task in tasks}:
        connect(experiment)  # creates what is missing of the store, which workers must not do at once
    reporter.noted(f"Training with {plan}.")
    with WorkerPool(plan, reporter, stop, find_provenance()) as pool:
        report.add(pool.work(tasks))
    return report


def _task(workspace: Workspace) -> Task:
    """Return what continues the run of a workspace.

    Raises:
        DropoutLabError: If it cannot continue, whatever trains it.
    """
    from dropout_lab.runs.continuing import known_state

    state = known_state(workspace)
    return Task(state.run, recorded_threads(state), folder=str(workspace.path))
