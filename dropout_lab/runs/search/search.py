"""From a spec with a search to its outcome: trials, then the best one against the baseline on fresh seeds."""

from collections.abc import Sequence
from dataclasses import replace

from dropout_lab.data.dataset import Dataset
from dropout_lab.data.selection import load_data
from dropout_lab.errors import UsageError
from dropout_lab.runs.checking import check_runs
from dropout_lab.runs.designs import train_designs
from dropout_lab.runs.executors import Starting, Workers
from dropout_lab.runs.failures import interrupted
from dropout_lab.runs.outcome import Report
from dropout_lab.runs.planning import PlannedRun, plan_runs
from dropout_lab.runs.search.checking import Shape, check_trials, needs_check
from dropout_lab.runs.search.outcome import SearchOutcome
from dropout_lab.runs.search.session import Display, Session, start_training
from dropout_lab.runs.search.trial_queue import TrialQueue
from dropout_lab.runs.search.trials import (
    baseline_spec,
    confirmation_runs,
    max_epochs,
    search_of,
    trial_experiment,
)
from dropout_lab.spec import DataSpec, Spec, flatten


def run_search(
    spec: Spec,
    display: Display,
    starting: Starting,
    *,
    plan: Workers | None = None,
    fresh: bool = False,
    fail_fast: bool = False,
) -> SearchOutcome:
    """Train the trials of a search, then the best one and the baseline on the seeds of the spec.

    A repeated call continues where an earlier one stopped, with the same trials.

    Args:
        spec: A spec with a search.
        display, starting: Progress callbacks, and what is entered while a library starts.
        plan: Workers that train at once. [default: this process alone]
        fresh: Delete the trials of earlier calls, and retrain all runs.
        fail_fast: Whether nothing is started after the first failure.

    Raises:
        UsageError: If Optuna is missing, the baseline cannot be trained on these data, or a trial may have a
            kind of dropout that does not fit its site. Nothing was started, as for the next three.
        DataError: If data are missing or damaged.
        DeviceError: If a device is not available.
        TrackingError: If the store cannot be used.
        DropoutLabError: If another process runs the search, or its study cannot be read or written.
    """
    require_optuna()
    search = search_of(spec)
    datasets = {spec.data: load_data(spec.data)}
    check_runs(plan_runs(baseline_spec(spec)), datasets)
    if needs_check(spec):
        _check_networks(spec, datasets, starting)
    with starting("MLflow"):
        from dropout_lab.runs.search.study import open_study, study_file
        from dropout_lab.tracking import connect

        tracker = connect(trial_experiment(spec))
    num_steps = len(search.seeds) * max_epochs(spec)
    with open_study(spec, tracker.location, num_steps, fresh=fresh) as study:
        session = Session(spec, study, tracker, datasets, fresh, fail_fast)
        report = _train_trials(session, display, starting, plan)
        outcome = SearchOutcome(
            study=study.name,
            file=study_file(tracker.location),
            objective=search.objective,
            num_trials=search.num_trials,
            trials=tuple(study.trials),
            best=study.best,
            report=report,
        )
    if report.ended_early or outcome.best is None:
        return outcome
    runs = confirmation_runs(spec, outcome.best)
    if len({str(flatten(run.settings)) for run in runs}) == 1:
        verdict = f"{outcome.best} has the settings of the baseline, so there is nothing to confirm."
        return replace(outcome, verdict=verdict.capitalize())
    planned, confirmation = train_designs(
        [runs], display(len(runs)), starting, plan=plan, fresh=fresh, fail_fast=fail_fast
    )
    verdict = "" if confirmation.ended_early or confirmation.failures else _verdict(planned)
    return replace(outcome, planned=tuple(planned), confirmation=confirmation, verdict=verdict)


def _check_networks(spec: Spec, datasets: dict[DataSpec, Dataset], starting: Starting) -> None:
    """Check what trials may build before any is trained."""
    with starting("TensorFlow"):
        from dropout_lab.training.own_state import own_state

    def shape_of(data: DataSpec) -> Shape:
        if data not in datasets:
            datasets[data] = load_data(data)
        return datasets[data].input_shape, datasets[data].num_classes

    with own_state():
        check_trials(spec, shape_of)


def require_optuna() -> None:
    """Import Optuna.

    Raises:
        UsageError: If it is not installed.
    """
    try:
        import optuna  # noqa: F401
    except ImportError:
        raise UsageError(
            "search: the package optuna is not installed.",
            hint="Install it with `pip install 'dropout_lab[search]'`.",
        ) from None


def _train_trials(session: Session, display: Display, starting: Starting, plan: Workers | None) -> Report:
    """Train the trials that the search still lacks."""
    search = search_of(session.spec)
    num_open = search.num_trials - sum(trial.is_finished for trial in session.study.trials)
    if num_open <= 0:
        return Report()
    shown = display(num_open * len(search.seeds))
    with start_training(session, shown, starting, plan) as (train, reporter, stop):
        report = train(TrialQueue(session, reporter))
    if stop.signal_number and report.interrupted is None:  # it came while the last run of all was evaluated
        report.interrupted = interrupted("stopped before the confirmation.", stop.signal_number)
        report.ended_early = True
    return report


def _verdict(planned: Sequence[PlannedRun]) -> str:
    """Return the verdict on the confirmation, and what it rests on, in one sentence."""
    from dropout_lab.runs.sequential import take_look
    from dropout_lab.tracking import read_runs

    look = take_look(read_runs(planned[0].origin.experiment), planned)
    num_seeds = len({run.seed for run in planned})
    return f"Confirmation on {num_seeds} fresh seeds, which no trial used: {' '.join(look.sentences)}"
