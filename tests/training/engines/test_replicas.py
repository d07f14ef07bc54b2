"""One network on two devices: TensorFlow's logical CPUs stand in for GPUs."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dropout_lab.errors import UsageError
from dropout_lab.training.engines.replicas import Replicas

PROGRAM = Path(__file__).with_name("on_two_devices.py")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the program has run."""
    folder = tmp_path_factory.mktemp("two-devices")
    done = subprocess.run([sys.executable, PROGRAM], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


@pytest.fixture(scope="module")
def seen(folder: Path) -> Any:
    return json.loads((folder / "seen.json").read_text())


@pytest.mark.slow
@pytest.mark.parametrize("case", ["plain", "penalized"])
def test_without_dropout_two_devices_train_as_one_but_for_rounding(seen: Any, case: str) -> None:
    one, both = seen[case]["one"], seen[case]["both"]
    assert one["initial"] == both["initial"]
    for weights, others in zip(one["weights"], both["weights"], strict=True):
        np.testing.assert_allclose(weights, others, atol=2e-4)
    np.testing.assert_allclose(one["epochs"], both["epochs"], rtol=1e-5)
    assert one["loss"] == pytest.approx(both["loss"], rel=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("case", ["dropout", "half", "normalized"])
def test_with_dropout_they_start_alike_and_draw_other_masks(seen: Any, case: str) -> None:
    one, both = seen[case]["one"], seen[case]["both"]
    assert one["initial"] == both["initial"]
    assert one["sites"] == both["sites"] != []
    assert one["final"] != both["final"]
    assert one["loss"] == pytest.approx(both["loss"], rel=0.2)


@pytest.mark.slow
def test_each_device_drops_at_random_for_itself(seen: Any) -> None:
    kept = np.array(seen["kept"])  # (step, copy, example, unit)
    num_values = kept[0, 0].size
    within = 5 * np.sqrt(0.25 / num_values)
    for step, copy in np.ndindex(kept.shape[:2]):
        assert kept[step, copy].mean() == pytest.approx(0.5, abs=within)
        for other in np.ndindex(kept.shape[:2]):
            if other != (step, copy):
                assert np.mean(kept[step, copy] == kept[other]) == pytest.approx(0.5, abs=within)


@pytest.mark.slow
def test_each_device_counts_by_its_share_of_the_batch(seen: Any) -> None:
    assert seen["shares"] == pytest.approx([10 / 21, 11 / 21])


@pytest.mark.slow
def test_equal_runs_have_equal_bits(seen: Any) -> None:
    assert seen["again"] == seen["dropout"]["both"]["final"]


@pytest.mark.slow
def test_a_stopped_training_continues_to_the_same_weights(seen: Any) -> None:
    assert seen["continued"] == seen["normalized"]["both"]["final"]


@pytest.mark.slow
def test_runs_record_their_devices_and_the_comparison_tells(
    seen: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    from dropout_lab.tracking import read_runs

    runs = {run.condition: run for run in read_runs("smoke")}
    assert {name: run.device for name, run in runs.items()} == {"cpu": "/CPU:0", "gpus": "/CPU:0,/CPU:1"}
    assert all("mc_accuracy" in run.metrics for run in runs.values())
    done = subprocess.run(
        [sys.executable, "-m", "dropout_lab", "compare", "smoke", "--baseline", "cpu"],
        capture_output=True,
        text=True,
    )
    assert "2 CPUs" in done.stdout + done.stderr


@pytest.mark.parametrize(("num_examples", "batch_size"), [(100, 1), (101, 50)])
def test_a_batch_without_an_example_for_each_is_refused(num_examples: int, batch_size: int) -> None:
    replicas = Replicas(["/CPU:0", "/CPU:1"])
    replicas.require_parts(100, 50)
    with pytest.raises(UsageError, match="a batch of 1 cannot be divided among 2 devices"):
        replicas.require_parts(num_examples, batch_size)
