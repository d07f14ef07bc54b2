"""What the trials of a call have in common, and what trains them: this process, or workers."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from dropout_lab.data.dataset import Dataset
from dropout_lab.data.selection import load_data
from dropout_lab.runs.checking import check_runs
from dropout_lab.runs.executors import Starting, Workers
from dropout_lab.runs.outcome import Report
from dropout_lab.runs.planning import PlannedRun, needs_building
from dropout_lab.runs.reporter import Reporter
from dropout_lab.runs.search.trials import example_runs, max_epochs, search_of, trial_runs
from dropout_lab.runs.stopping import StopRequest, listen_for_stop
from dropout_lab.spec import DataSpec, Spec

if TYPE_CHECKING:
    from dropout_lab.runs.search.study import OpenTrial, Study
    from dropout_lab.runs.search.trial_queue import TrialQueue
    from dropout_lab.runs.search.trial_training import TrialTraining
    from dropout_lab.tracking import Tracker

Display = Callable[[int], AbstractContextManager[Reporter]]
"""Returns progress callbacks for a number of runs, entered for the time of training."""


class TrainTrials(Protocol):
    """Trains the runs of trials."""

    def __call__(self, queue: "TrialQueue") -> Report:
        """Train the trials of `queue` until it has no more, or the work ends early."""


@dataclass(frozen=True)
class Session:
    """What the trials of a call have in common.

    Attributes:
        spec: A spec with a search.
        study: Its study.
        tracker: Tracker of the experiment of the trials.
        datasets: Datasets by the settings that choose them, as far as they are loaded.
        fresh: Whether runs are retrained even if they are finished.
        fail_fast: Whether nothing is started after the first failure.
    """

    spec: Spec
    study: "Study"
    tracker: "Tracker"
    datasets: dict[DataSpec, Dataset]
    fresh: bool
    fail_fast: bool

    def training_of(self, opened: "OpenTrial") -> "TrialTraining":
        """Return the training of an open trial.

        Raises:
            UsageError: If its network cannot be built, or its settings do not fit the data.
        """
        from dropout_lab.runs.search.trial_training import TrialTraining

        runs = self._resolved(trial_runs(self.spec, opened.trial))
        check_runs(runs, self.datasets)
        return TrialTraining(opened, runs, search_of(self.spec).objective, max_epochs(self.spec))

    def _resolved(self, runs: list[PlannedRun]) -> list[PlannedRun]:
        for run in runs:
            if run.settings.data not in self.datasets:
                self.datasets[run.settings.data] = load_data(run.settings.data)
        if not any(needs_building(run, self.datasets[run.settings.data]) for run in runs):
            return runs
        from dropout_lab.runs.networks import resolve_networks
        from dropout_lab.training.own_state import own_state

        with own_state():
            return resolve_networks(runs, self.datasets)


@contextmanager
def start_training(
    session: Session, display: AbstractContextManager[Reporter], starting: Starting, plan: Workers | None
) -> Iterator[tuple[TrainTrials, Reporter, StopRequest]]:
    """Start what trains trials: this process, or workers.

    Args:
        session: What the trials have in common.
        display, starting, plan: As in `run_search`.

    Yields:
        What trains trials, progress callbacks, and the request to stop.
    """
    from dropout_lab.runs.preparing import prepare_runs

    notes = [note for dataset in session.datasets.values() for note in dataset.notes]
    example = example_runs(session.spec)
    if plan is not None:
        from dropout_lab.runs.search.train_in_workers import TrainInWorkers

        with listen_for_stop() as stop, display as reporter:
            provenance = prepare_runs(example, [session.tracker], reporter)
            reporter.noted(f"Training with {plan}.")
            for note in notes:
                reporter.noted(note)
            with TrainInWorkers(session, plan, reporter, stop, provenance) as train:
                yield train, reporter, stop
        return
    with starting("TensorFlow"):
        from dropout_lab.runs.search.train_here import TrainHere
        from dropout_lab.training.devices import resolve_device
        from dropout_lab.training.own_state import own_state

        resolve_device("auto")  # TensorFlow logs, too, when it first looks for devices
    with own_state(), listen_for_stop() as stop, display as reporter:
        provenance = prepare_runs(example, [session.tracker], reporter)
        for note in notes:
            reporter.noted(note)
        yield (
            TrainHere(
                reporter,
                stop,
                provenance,
                datasets=session.datasets,
                tracker=session.tracker,
                fresh=session.fresh,
                fail_fast=session.fail_fast,
            ),
            reporter,
            stop,
        )
