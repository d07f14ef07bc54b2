"""Runs that a search ends early: after which epoch, and as what they are kept."""

import pytest

from dropout_lab.errors import Interrupted, TrainingError
from dropout_lab.records import EpochMetrics, RunStatus
from dropout_lab.runs.planning import plan_runs
from dropout_lab.runs.pruning import PruningReporter, RunPruned, status_after
from dropout_lab.spec import Spec
from dropout_lab.training.progress import Progress


def progress(num_epochs: int, step: int = 0) -> Progress:
    epoch = EpochMetrics(
        epoch=1, loss=1, accuracy=0.5, val_loss=1, val_accuracy=0.5, epoch_seconds=1, end_time_ms=0
    )
    return Progress(epochs=(epoch,) * num_epochs, step_in_epoch=step)


@pytest.fixture
def run():
    (run,) = plan_runs(Spec(name="pruned"))
    return run


@pytest.fixture
def reporter(make_listener):
    """A reporter that ends runs after their second epoch."""
    return PruningReporter(make_listener(), lambda run, progress: len(progress.epochs) >= 2)


def test_a_run_is_ended_after_the_epoch_in_which_it_is_pruned(reporter, run):
    reporter.started(run, "id", "a machine", progress(0))
    reporter.progressed(run, progress(1), 4)
    reporter.progressed(run, progress(1, step=2), 4)
    with pytest.raises(RunPruned, match="pruned after epoch 2") as pruned:
        reporter.progressed(run, progress(2), 4)
    assert pruned.value.run_id == "id"


def test_a_run_that_was_killed_before_it_was_pruned_is_ended_when_it_continues(reporter, run):
    with pytest.raises(RunPruned):
        reporter.started(run, "id", "a machine", progress(2))


def test_a_run_can_be_ended_within_an_epoch(reporter, run):
    with pytest.raises(RunPruned, match="pruned after epoch 2"):
        reporter.started(run, "id", "a machine", progress(2, step=1))


def test_a_pruned_run_is_neither_a_result_nor_a_failure():
    assert status_after(RunPruned("id", 1)) == (
        RunStatus.KILLED,
        {"dropout_lab.pruned": "pruned after epoch 1"},
    )
    assert status_after(TrainingError("nan")) == (RunStatus.FAILED, {"dropout_lab.failure": "nan"})
    assert status_after(Interrupted("stopped", signal_number=2)) == (RunStatus.KILLED, {})
