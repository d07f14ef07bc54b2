"""`plan` on a real MLflow store, with runs that were logged, not trained."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from dropout_lab.cli import app as command_line
from dropout_lab.records import DataFingerprint, RunStart, RunStatus
from dropout_lab.runs.planning import plan_runs
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


def log_runs(spec: Path, epochs: int, num_seeds: int = 4) -> None:
    """Log the runs of `spec`, with other values if they have another number of epochs."""
    tracker = connect("small")
    Path("empty").mkdir(exist_ok=True)
    for run in plan_runs(load_spec(spec, [f"training.epochs={epochs}", f"seeds={num_seeds}"])):
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
    words = " ".join(out.split())
    assert code == 0
    assert "have an assumed SD of 0.28 points (no finished pairs)" in words
    assert "find a true difference of 0.30 points with 80% power at 95% confidence" in words
    assert "Fixed 10 seeds per condition (power 85%)" in words
    assert "Runs 20 of 20 to train" in words
    assert "unknown (no finished run); train one with `dropout-lab run small.yaml --seeds 1`" in words
    assert (
        "Command dropout-lab run small.yaml --seeds 10 Command dropout-lab run small.yaml --seeds 5.."
        in words
    )
    # The spec's own 4 seeds have less power than the goal.
    assert "As stated 4 seeds per condition (power 32%)" in words
    assert not Path("mlflow.db").exists()


def test_noise_and_time_are_those_of_the_specs_own_runs(plan: Plan) -> None:
    log_runs(Path("small.yaml"), epochs=10)
    log_runs(Path("small.yaml"), epochs=1)
    code, out, _ = plan("small.yaml", "--difference", "0.01")
    words = " ".join(out.split())
    found = json.loads(plan("small.yaml", "--difference", "0.01", "--format", "json")[1])
    # Differences of 1, 0, 2 and 0 points: their mean is 0.75.
    sd = (((0.25**2) + (0.75**2) + (1.25**2) + (0.75**2)) / 3) ** 0.5 / 100
    assert code == 0
    assert found["noise"]["sd_difference"] == pytest.approx(sd)
    assert found["noise"]["sd_degrees"] == 3
    # sd root(3 / chi-squared(3 degrees; 0.975, 0.025)): 0.96 root(3 / 9.348), 0.96 root(3 / 0.2158)
    assert "SD of 0.96 points (measured with 4 pairs; 95% interval 0.54 to 3.57 points)" in words
    assert found["run_seconds"] == 10 * 12 + 5
    (measured,) = found["measured"]
    assert (measured["condition"], measured["n"]) == ("dropout", 4)
    assert measured["difference"] == pytest.approx(0.0075)
    needed = measured["seeds_needed"]
    assert f"dropout +0.75 points with 4 pairs; if the true difference equals it, about {needed}" in words
    assert found["commands"][0] == f"dropout-lab run small.yaml --seeds {found['num_seeds']}"
    missing = 2 * found["num_seeds"] - 8
    assert f"Runs {missing} of {missing + 8} to train for the fixed design" in words
    assert f"about {round(missing * 125 / 60)} min for them" in words
    assert "2 min per run on processor" in words


def test_two_pairs_are_enough_to_measure_noise(plan: Plan) -> None:
    log_runs(Path("small.yaml"), epochs=10, num_seeds=2)
    found = json.loads(plan("small.yaml", "--format", "json")[1])
    assert found["noise"]["sd_degrees"] == 1
    assert found["noise"]["source"] == "measured with 2 pairs"
    assert found["measured"][0]["n"] == 2


def test_plan_and_compare_give_one_answer(
    plan: Plan, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    log_runs(Path("small.yaml"), epochs=10, num_seeds=2)
    (measured,) = json.loads(plan("small.yaml", "--format", "json")[1])["measured"]
    monkeypatch.setattr("sys.argv", ["dropout-lab", "compare", "small", "--format", "json"])
    assert command_line._main() == 0
    compared = json.loads(capsys.readouterr().out)
    (verdict,) = (one for one in compared["verdicts"] if one["metric"] == "test_accuracy")
    assert measured["seeds_needed"] == verdict["seeds_needed"]
    assert measured["difference"] == pytest.approx(compared["differences"][0]["mean_difference"])


def test_seeds_and_settings_are_overridden_as_run_does(plan: Plan) -> None:
    found = json.loads(
        plan("small.yaml", "--seeds", "3..20", "--set", "training.epochs=2", "--format", "json")[1]
    )
    sequential = found["designs"][-1]
    assert (sequential["name"], sequential["first"], sequential["most"]) == ("sequential", 3, 20)
    assert found["commands"][-1] == "dropout-lab run small.yaml --set training.epochs=2 --seeds 3..20"
    found = json.loads(
        plan("small.yaml", "--set", "seeds={first: 4, most: 20, step: 4}", "--format", "json")[1]
    )
    assert found["commands"][-1].endswith("--set 'seeds={first: 4, most: 20, step: 4}'")


def test_metric_and_margin_are_those_of_the_spec(plan: Plan) -> None:
    Path("other.yaml").write_text(SPEC + "primary: test_loss\nmargins: {test_loss: 0.02}\n")
    found = json.loads(plan("other.yaml", "--sd", "0.02", "--format", "json")[1])
    assert (found["goal"]["metric"], found["goal"]["margin"]) == ("test_loss", 0.02)
    assert found["goal"]["difference"] == pytest.approx(0.05)
    assert found["noise"]["sd_degrees"] is None  # given, not measured


@pytest.mark.parametrize("name", ["power.png", "power.svg"])
def test_the_plot_is_a_file_of_its_format(plan: Plan, name: str) -> None:
    code, _, err = plan("small.yaml", "--plot", name)
    start = {"power.png": b"\x89PNG", "power.svg": b"<?xml"}[name]
    assert (code, err) == (0, "")
    assert Path(name).read_bytes().startswith(start)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.yaml"], "missing.yaml"),
        (["small.yaml", "--difference", "0"], "difference: 0.0 is not a fraction above 0"),
        (["small.yaml", "--sd", "nan"], "sd: nan is not a fraction above 0"),
        (["small.yaml", "--margin", "-1"], "margin: -1.0 is not a fraction above 0"),
        (["small.yaml", "--power", "1"], "Invalid value for '--power'"),
        (["small.yaml", "--metric", "test_loss"], "noise of test_loss between seeds is unknown"),
        (["small.yaml", "--plot", "power.jpg"], "power.jpg is neither a .png nor an .svg file"),
        (["small.yaml", "--plot", "nowhere/power.png"], "cannot write nowhere/power.png: No such file"),
        (["small.yaml", "--seeds", "x"], "seeds"),
    ],
)
def test_what_cannot_be_used_ends_with_2_and_says_so(plan: Plan, arguments: list[str], message: str) -> None:
    code, _, err = plan(*arguments)
    assert code == 2
    assert message in err


@pytest.mark.parametrize(
    ("address", "code", "message"),
    [
        ("http://127.0.0.1:9", 1, "http://127.0.0.1:9 does not answer"),
        ("htpp://127.0.0.1:5000", 2, "did you mean 'http'?"),
        ("sqlite:///nowhere/mlflow.db", 0, ""),
    ],
)
def test_a_store_that_cannot_be_read_is_not_an_empty_one(
    plan: Plan, monkeypatch: pytest.MonkeyPatch, address: str, code: int, message: str
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    ended, out, err = plan("small.yaml")
    assert (ended, bool(out)) == (code, code == 0)
    assert message in " ".join(err.split())


def test_a_given_noise_plans_any_metric(plan: Plan) -> None:
    code, out, _ = plan("small.yaml", "--metric", "test_loss", "--sd", "0.004", "--power", "0.9")
    assert code == 0
    assert "find a true difference of 0.0250 with 90% power" in " ".join(out.split())
    code, out, _ = plan("small.yaml", "--difference", "0.001")
    assert "0.10 points is within the equivalence margin; use a smaller --margin." in " ".join(out.split())


def test_more_seeds_than_a_spec_takes_have_no_command(plan: Plan) -> None:
    for difference, number in (("0.0002", "1,572"), ("0.000001", "more than 10,000")):
        code, out, _ = plan("small.yaml", "--difference", difference)
        assert code == 0
        assert f"{number} seeds per condition" in out
        assert "none: a spec takes at most 1,000 seeds." in out
