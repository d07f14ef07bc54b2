"""`plan` on a real MLflow store, with runs that were logged, not trained."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from dropout_lab.cli import app as command_line
from dropout_lab.execution.planning import plan_runs
from dropout_lab.records import DataFingerprint, RunStart, RunStatus
from dropout_lab.spec import load_spec
from dropout_lab.tracking import connect

SPEC = """
name: small
experiment: small
training: {epochs: 10}
seeds: 4
conditions:
  baseline: {model: {dropout: 0}}
  dropout: {model: {dropout: 0.5}}
"""
ACCURACIES = {"baseline": [0.90, 0.91, 0.90, 0.91], "dropout": [0.91, 0.91, 0.92, 0.91]}

Plan = Callable[..., tuple[int, str, str]]


@pytest.fixture
def plan(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Plan:
    """Run the command line in a folder of its own, which has `small.yaml`."""
    monkeypatch.chdir(tmp_path)
    Path("small.yaml").write_text(SPEC)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["dropout-lab", "plan", *arguments])
        code = command_line._main()
        return code, *capsys.readouterr()

    return run


def log_runs(spec: Path, epochs: int) -> None:
    """Log the runs of `spec`, with other figures where they are of another number of epochs."""
    tracker = connect("small")
    Path("empty").mkdir(exist_ok=True)
    for run in plan_runs(load_spec(spec, [f"training.epochs={epochs}"])):
        data = DataFingerprint(
            folder="", checksums={}, num_train=1, num_validation=1, num_test=1, digest="0" * 36
        )
        start = RunStart(
            run_name=run.name,
            description="",
            condition=run.condition,
            seed=run.seed,
            spec={"training.epochs": str(epochs)},
            tags={
                "dropout_lab.spec_fingerprint": run.spec_fingerprint,
                "dropout_lab.device_name": "processor",
            },
            data=data,
            texts={},
        )
        run_id = tracker.start_run(start)
        metrics = {
            "test_accuracy": ACCURACIES[run.condition][run.seed] * epochs / 10,
            "epoch_seconds": 12.0 if epochs == 10 else 1000.0,
            "evaluation_seconds": 5.0,
        }
        tracker.log_result(run_id, metrics, step=epochs, timestamp_ms=1, folder=Path("empty"))
        tracker.end_run(run_id, RunStatus.FINISHED)


def test_without_runs_the_noise_is_assumed_and_the_time_unknown(plan: Plan) -> None:
    code, out, _ = plan("small.yaml", "--difference", "0.003")
    assert code == 0
    assert "varies by 0.28 points (assumed" in out
    assert "To find a difference of 0.30 points: 10 seeds a condition (power 0.8" in out
    assert "Runs: 20 of 20 are to be trained." in out
    assert "Time: not known before one was trained: dropout-lab run small.yaml --seeds 1" in out
    assert "Command: dropout-lab run small.yaml --seeds 10" in out
    assert not Path("mlflow.db").exists()


def test_noise_and_time_are_those_of_the_specs_own_runs(plan: Plan) -> None:
    log_runs(Path("small.yaml"), epochs=10)
    log_runs(Path("small.yaml"), epochs=1)
    code, out, _ = plan("small.yaml", "--difference", "0.01")
    found = json.loads(plan("small.yaml", "--difference", "0.01", "--format", "json")[1])
    # Differences of 1, 0, 2 and 0 points: their mean is 0.75.
    sd = (((0.25**2) + (0.75**2) + (1.25**2) + (0.75**2)) / 3) ** 0.5 / 100
    assert code == 0
    assert found["noise"]["sd_difference"] == pytest.approx(sd)
    assert "measured over 4 pairs of runs" in out
    assert found["run_seconds"] == 10 * 12 + 5
    assert found["num_missing_runs"] == 2 * found["num_seeds"] - 8
    assert found["command"] == f"dropout-lab run small.yaml --seeds {found['num_seeds']}"
    minutes = round(found["num_missing_runs"] * 125 / 60)
    assert f"Time: about {minutes} min" in out
    assert "(8 are finished already)" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.yaml"], "missing.yaml"),
        (["small.yaml", "--difference", "0"], "[--difference] expected a fraction above 0"),
        (["small.yaml", "--sd", "nan"], "[--sd] expected a fraction above 0"),
        (["small.yaml", "--margin", "-1"], "[--margin] expected a fraction above 0"),
        (["small.yaml", "--power", "1"], "Invalid value for '--power'"),
        (["small.yaml", "--metric", "test_loss"], "noise of test_loss between seeds is not known"),
    ],
)
def test_what_cannot_be_used_ends_with_2_and_says_so(plan: Plan, arguments: list[str], message: str) -> None:
    code, _, err = plan(*arguments)
    assert code == 2
    assert message in err


def test_a_given_noise_plans_any_metric(plan: Plan) -> None:
    code, out, _ = plan("small.yaml", "--metric", "test_loss", "--sd", "0.004", "--power", "0.9")
    assert code == 0
    assert "To find a difference of 0.0250" in out
    code, out, _ = plan("small.yaml", "--difference", "0.001")
    assert "judge with a smaller --margin" in out


def test_more_seeds_than_a_spec_takes_have_no_command(plan: Plan) -> None:
    for difference, number in (("0.0002", "1572"), ("0.000001", "more than 10,000")):
        code, out, _ = plan("small.yaml", "--difference", difference)
        assert code == 0
        assert f"{number} seeds a condition" in out
        assert "No command: a spec takes at most 1000 seeds." in out
