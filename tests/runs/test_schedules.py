"""Runs whose dropout rate changes: refused if it would not, matched, interrupted and resumed, and logged."""

import pytest

from dropout_lab.data.dataset import Dataset
from dropout_lab.data.selection import load_data
from dropout_lab.errors import UsageError
from dropout_lab.runs.planning import PlannedRun, plan_runs
from dropout_lab.runs.schedules import check_cutoffs
from dropout_lab.spec import DataSpec, Spec

DATA = {"num_train": 250, "num_test": 100}


@pytest.fixture(scope="module")
def data() -> Dataset:
    return load_data(DataSpec(**DATA))


def planned(schedule: object, **training: object) -> list[PlannedRun]:
    return plan_runs(
        Spec(
            name="a",
            data=DATA,
            model={"dropout": {"dense": {"rate": 0.5, "schedule": schedule}}, "filters": [2, 2]},
            training={"epochs": 2, "batch_size": 100, **training},
        )
    )


@pytest.mark.parametrize(
    ("shape", "until", "is_within"),
    [("early", 5, True), ("early", 6, False), ("late", 6, False), ("linear", 6, True), ("linear", 7, False)],
)
def test_steps_must_be_within_the_training(data: Dataset, shape: str, until: int, is_within: bool) -> None:
    runs = planned({"shape": shape, "until": until, "unit": "steps"})
    datasets = {runs[0].settings.data: data}
    if is_within:
        check_cutoffs(runs, datasets)
        return
    most = until - 1
    with pytest.raises(UsageError) as error:
        check_cutoffs(runs, datasets)
    assert str(error.value.message) == (
        f"model.dropout.dense.schedule.until of a: {until} steps"
        f" (allowed: at most {most} of the 6 steps of the training)"
    )
