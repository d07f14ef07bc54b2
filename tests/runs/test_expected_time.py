"""Which finished runs tell how long a run takes, and what they tell."""

from dataclasses import replace
from datetime import timedelta

import pytest

from dropout_lab.records import DeviceInfo, RunRecord, RunStatus
from dropout_lab.runs.expected_time import ExpectedTime, Place, expected_time
from dropout_lab.runs.planning import PlannedRun, plan_runs
from dropout_lab.spec import Spec

DEVICE = DeviceInfo(
    device="/CPU:0",
    device_name="some processor",
    num_threads=2,
    precision="float32",
    instruction_set="AVX2",
    onednn="on",
)
PLACE = Place("fast", DEVICE)


@pytest.fixture
def run() -> PlannedRun:
    (run,) = plan_runs(Spec(name="timed", training={"epochs": 10}, model={"dropout": 0.5}))
    return run


@pytest.fixture
def record(make_run, run: PlannedRun):
    """A maker of runs of 10 epochs that trained for 100 s and took 130 s in all."""

    def make(seconds: float = 130.0, trained: float = 100.0, **changed) -> RunRecord:
        spec = {**run.params, **changed.pop("spec", {})}
        made = make_run("dropout", 0, spec=spec, train_seconds=trained, epoch_seconds=trained / 10, **changed)
        return replace(made, spec=spec, end_time=made.start_time + timedelta(seconds=seconds))

    return make


def test_epochs_are_scaled_and_all_else_is_not(run: PlannedRun, record) -> None:
    assert expected_time(run, PLACE, [record()]) == ExpectedTime(130.0, 1)
    shorter = record(63.0, 60.0, spec={"training.epochs": "6"})
    assert expected_time(run, PLACE, [shorter]) == ExpectedTime(103.0, 1)
    # The median, so that a run that waited for days does not count.
    runs = [record(), record(140.0), record(1e6)]
    assert expected_time(run, PLACE, runs) == ExpectedTime(140.0, 3)


def test_runs_of_the_same_settings_are_preferred(run: PlannedRun, record) -> None:
    other = record(1130.0, 1100.0, spec={"model.dropout.dense": "0.0", "training.learning_rate": "0.1"})
    assert expected_time(run, PLACE, [other]) == ExpectedTime(1130.0, 1)
    same = record(spec_fingerprint=run.spec_fingerprint)
    assert expected_time(run, PLACE, [other, same]) == ExpectedTime(130.0, 1)


@pytest.mark.parametrize(
    "changed",
    [
        {"spec": {"model.hidden_units": "64"}},
        {"spec": {"data.num_train": "1000"}},
        {"spec": {"training.batch_size": "100"}},
        {"engine": "stock"},
        {"device_name": "another processor"},
        {"num_threads": "1"},
        {"status": RunStatus.KILLED},
    ],
)
def test_other_runs_tell_nothing(run: PlannedRun, record, changed) -> None:
    assert expected_time(run, PLACE, [record(**changed)]) is None


def test_a_run_that_may_have_stopped_early_tells_by_its_last_epoch(run: PlannedRun, record) -> None:
    stopped = record(80.0, 50.0, spec={"training.early_stopping.patience": "2"})
    slower_at_the_end = replace(stopped, metrics={**stopped.metrics, "epoch_seconds": 12.0})
    assert expected_time(run, PLACE, [slower_at_the_end]) == ExpectedTime(150.0, 1)
