"""Runs whose dropout rate changes: refused if it would not, matched, interrupted and resumed, and logged."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dropout_lab.comparison.compare import compare_runs
from dropout_lab.comparison.question import Question
from dropout_lab.data.dataset import Dataset
from dropout_lab.data.selection import load_data
from dropout_lab.errors import UsageError
from dropout_lab.evaluation.registry import DROPOUT_RATE
from dropout_lab.records import RunStatus
from dropout_lab.runs.executor import execute_runs, resume_runs
from dropout_lab.runs.planning import PlannedRun, plan_runs
from dropout_lab.runs.schedules import check_cutoffs
from dropout_lab.runs.workspace import workspaces
from dropout_lab.spec import DataSpec, Spec, load_spec
from dropout_lab.tracking import read_runs

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


SPEC = """\
name: resumed
experiment: resumed
training: {epochs: 2, batch_size: 10, engine: ENGINE}
data: {num_train: 250, num_test: 100}
model:
  filters: [4, 8]
  hidden_units: 16
  dropout:
    conv1: {rate: 0.2, schedule: {shape: early, until: 1}}
    conv2: {rate: 0.3, schedule: {shape: cosine, until: 33, unit: steps}}
    dense: {rate: 0.5, schedule: {shape: late, until: 37, unit: steps}}
"""


@pytest.mark.slow
@pytest.mark.parametrize(("engine", "stop_after"), [("fast", 1), ("fast", 4), ("stock", 4)])
def test_a_run_that_was_stopped_in_an_epoch_ends_with_the_weights_of_one_that_was_not(
    lab: Path, make_listener: Any, engine: str, stop_after: int
) -> None:
    """An epoch has 25 steps, and the state is saved every 10: before and after the rates change."""
    (lab / "resumed.yaml").write_text(SPEC.replace("ENGINE", engine))
    (run,) = plan_runs(load_spec(lab / "resumed.yaml"))
    listener = make_listener(stop_after=stop_after)
    assert execute_runs([run], listener, listener.stop).interrupted
    listener = make_listener()
    assert len(resume_runs(workspaces(), listener, listener.stop).outcomes) == 1
    assert len(execute_runs([run], listener, listener.stop, fresh=True).outcomes) == 1
    names = [DROPOUT_RATE.name(site) for site in ("conv1", "conv2", "dense")]
    resumed, whole = read_runs("resumed", histories=["loss", *names], statuses=[RunStatus.FINISHED])
    assert resumed.run_id != whole.run_id
    assert resumed.final_weights == whole.final_weights
    assert resumed.history == whole.history
    assert [whole.history[name] for name in names] == [
        pytest.approx((0.2, 0)),
        pytest.approx((0.3 * (1 - np.cos(np.pi * 24 / 32)) / 2, 0.3)),
        pytest.approx((0, 0.5)),
    ]


@pytest.mark.slow
def test_conditions_that_differ_in_their_schedule_are_compared_as_matched_twins(
    lab: Path, make_listener: Any
) -> None:
    text = SPEC.replace("ENGINE", "auto").partition("  dropout:")[0].replace("epochs: 2", "epochs: 3")
    (lab / "twins.yaml").write_text(
        text.replace("resumed", "twins") + "  dropout: 0.4\nseeds: 2\nconditions:\n  standard: {}\n"
        "  early: {model: {dropout: {schedule: {shape: early, until: 1}}}}\n"
        "  late: {model: {dropout: {schedule: {shape: late, until: 1}}}}\n"
    )
    listener = make_listener()
    assert len(execute_runs(plan_runs(load_spec("twins.yaml")), listener, listener.stop).outcomes) == 6
    runs = read_runs("twins")
    for seed in (0, 1):
        twins = [run for run in runs if run.seed == seed]
        assert {run.engine for run in twins} == {"fast"}
        for facts in ("initial_weights", "batch_order"):
            assert len({getattr(run, facts) for run in twins}) == 1
        assert len({run.final_weights for run in twins}) == 3
        assert len({run.spec_fingerprint for run in twins}) == 3
    comparison = compare_runs(runs, Question(reference="standard"))
    assert comparison.conditions == ("standard", "early", "late")
    assert {one.reference for one in comparison.differences} == {"standard"}
