"""A dry run refuses what `run` refuses, finds what is finished, and leaves nothing behind."""

from pathlib import Path

import numpy as np
import pytest

from dropout_lab.data import outline
from dropout_lab.data.scaling import UNIT_PIXELS
from dropout_lab.errors import DataError, DeviceError, TrackingAddressError, TrackingUnavailable, UsageError
from dropout_lab.runs.dry_run import dry_run
from dropout_lab.runs.executor import execute_runs
from dropout_lab.runs.planning import plan_runs
from dropout_lab.spec import Spec, load_spec


@pytest.fixture
def empty(lab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder is empty; the spec is in another one."""
    folder = tmp_path / "empty"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return lab / "tiny.yaml"


@pytest.mark.parametrize(
    ("overrides", "error", "message"),
    [
        (
            [
                "conditions.dropout.model.dropout={dense: {rate: 0.5, schedule: "
                "{shape: early, until: 99, unit: steps}}}"
            ],
            UsageError,
            "99 steps",
        ),
        (["device=gpu:7"], DeviceError, "not available"),
        (["data.num_train=5000"], DataError, "5000 is more than the 1000 examples"),
        (["conditions.dropout.model.dropout={dens: 0.5}"], UsageError, "dens"),
    ],
)
def test_it_refuses_what_run_refuses_and_leaves_nothing_behind(empty, overrides, error, message) -> None:
    with pytest.raises(error, match=message):
        dry_run(load_spec(empty, overrides))
    assert list(Path.cwd().iterdir()) == []


@pytest.mark.parametrize(
    ("address", "error"),
    [("http://127.0.0.1:9", TrackingUnavailable), ("htpp://127.0.0.1:5000", TrackingAddressError)],
)
def test_a_store_that_cannot_be_read_is_not_an_empty_one(empty, monkeypatch, address, error) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    with pytest.raises(error):
        dry_run(load_spec(empty))


def test_it_refuses_an_evaluation_of_what_is_no_image(empty) -> None:
    np.savez("vectors.npz", x_train=np.eye(20, 5), y_train=np.arange(20) % 2)
    spec = Spec(
        name="vectors",
        data={"dataset": "vectors.npz"},
        model={"network": "mlp"},
        evaluation={"shift": ["noise"]},
    )
    with pytest.raises(DataError, match=r"evaluation\.shift"):
        dry_run(spec)


def test_data_that_would_be_downloaded_are_not_needed(empty, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outline, "locate", lambda folder: None)
    options = ["data.num_train=50000", "data.validation=0.1", "training.engine=fast", "device=cpu"]
    plan = dry_run(load_spec(empty, options))
    assert [one.run.name for one in plan.runs] == ["baseline-seed0", "dropout-seed0"]
    assert plan.notes == ("Fashion-MNIST is not on this machine; the first run downloads it.",)
    (data,) = outline.outline_all(one.run.settings.data for one in plan.runs).values()
    assert data.scaling == UNIT_PIXELS, "as a run scales the images, or it would use another engine"
    with pytest.raises(DataError, match="70000 is more than the 60000 examples"):
        dry_run(load_spec(empty, ["data.num_train=70000"]))


@pytest.mark.slow
def test_finished_runs_are_known_and_tell_the_time_of_others(lab: Path, make_listener) -> None:
    spec = load_spec(lab / "tiny.yaml", ["seeds=2"])
    assert dry_run(spec).seconds is None
    listener = make_listener()
    execute_runs(plan_runs(spec)[:1], listener, listener.stop).raise_problems()
    plan = dry_run(spec)
    assert [one.is_finished for one in plan.runs] == [True, False, False, False]
    assert {one.time.num_runs for one in plan.runs if one.time} == {1}
    assert len({one.time for one in plan.runs}) == 1, "dropout does not change the time"
    assert plan.seconds == pytest.approx(3 * plan.runs[0].time.seconds)
    again = dry_run(spec, fresh=True)
    assert not any(one.is_finished for one in again.runs)
    assert again.seconds == pytest.approx(4 * plan.runs[0].time.seconds)
    # Another experiment, more epochs: the same network.
    longer = dry_run(load_spec(lab / "tiny.yaml", ["experiment=other", "training.epochs=300"]))
    assert not any(one.is_finished for one in longer.runs)
    assert longer.seconds > plan.seconds
    assert dry_run(load_spec(lab / "tiny.yaml", ["model.hidden_units=32"])).seconds is None
