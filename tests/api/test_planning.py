"""`plan`: what the command prints, from a spec made in Python and from a file."""

import math
from pathlib import Path
from typing import Any

import pytest

import dropout_lab as dl

SPEC = dl.Spec(
    name="ahead",
    margins={"test_accuracy": 0.004},
    conditions={"baseline": {"model": {"dropout": 0}}, "low": {}, "high": {"model": {"dropout": 0.5}}},
)


def test_a_plan_before_the_first_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = dl.plan(SPEC, seeds="3..9", power=0.9)
    goal = found.plan.goal
    assert (goal.metric, goal.margin, goal.power, goal.num_comparisons) == ("test_accuracy", 0.004, 0.9, 2)
    assert goal.difference == pytest.approx(2.5 * 0.004)
    assert math.isinf(found.plan.noise.sd_degrees)
    (sequential,) = (one for one in found.plan.designs if one.name == "sequential")
    assert (sequential.first, sequential.most, sequential.label) == (3, 9, "sequential, 3 to 9 seeds")
    assert found.conditions == ("baseline", "low", "high")
    assert (found.measured, found.finished, found.run_seconds, found.device_name) == ((), set(), None, None)
    upper, lower = found.plot().axes
    assert len(upper.lines) == len(lower.lines) == len(found.plan.designs)
    assert list(tmp_path.iterdir()) == []


def test_finished_runs_of_the_spec_are_counted_and_timed(in_trained: Any, tmp_path: Path) -> None:
    found = dl.plan(in_trained.spec, sd=0.01, difference=0.02)
    assert found.finished == {(name, seed) for name in ("none", "half") for seed in (0, 1)}
    assert found.run_seconds > 0
    assert found.device_name
    (measured,) = found.measured
    runs = dl.load_runs("tiny").pivot(index="seed", columns="condition", values="test_accuracy")
    assert (measured.condition, measured.n) == ("half", 2)
    assert measured.difference == pytest.approx((runs["half"] - runs["none"]).mean())
    plain = found.to_json()
    assert (plain["num_conditions"], plain["num_finished_runs"]) == (2, 4)
    assert plain["goal"]["difference"] == 0.02
    other = dl.plan(in_trained.spec, overrides={"training.epochs": 7}, sd=0.01)
    assert other.finished == set()


def test_a_difference_beyond_all_designs_has_no_plot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = dl.plan(SPEC, seeds=1, difference=1e-6)
    assert found.plan.designs == ()
    with pytest.raises(dl.DropoutLabError, match="no design to plot"):
        found.plot()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"difference": 0.0}, "difference: 0.0 is not a fraction above 0"),
        ({"margin": -1}, "margin: -1 is not a fraction above 0"),
        ({"sd": math.nan}, "sd: nan is not a fraction above 0"),
        ({"power": 1}, "power: out of range: 1"),
        ({"confidence": 0.2}, "confidence: out of range: 0.2"),
        ({"metric": "test_loss"}, "noise of test_loss between seeds is unknown"),
        ({"overrides": ["training.epochs=0"]}, "epochs"),
    ],
)
def test_an_invalid_argument_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: dict[str, Any], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(dl.DropoutLabError, match=message) as refused:
        dl.plan(SPEC, **arguments)
    assert refused.value.exit_code == 2


NETWORK = """
import keras


def build(input_shape, num_classes):
    layers = [keras.layers.Flatten(), keras.layers.Dropout(0.2, name="top"), keras.layers.Dense(num_classes)]
    return keras.Sequential([keras.Input(input_shape), *layers, keras.layers.Softmax()])
"""


@pytest.mark.parametrize(
    "model",
    [
        {"network": "net.py:build", "dropout": "as_built"},
        {"network": "mlp", "hidden": [8], "dropout": {"kind": "gaussian", "rate": 0.2}},
    ],
    ids=["own network", "kind"],
)
def test_finished_runs_are_known_by_the_network_that_was_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: dict[str, Any]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.py").write_text(NETWORK)
    spec = dl.Spec(
        name="own",
        data={"dataset": "digits"},
        model=model,
        training={"epochs": 1, "batch_size": 100},
        conditions={"none": {"model": {"dropout": 0}}, "some": {}},
    )
    dl.run(spec, seeds=2, progress=False)
    assert dl.plan(spec, sd=0.01).finished == {(name, seed) for name in ("none", "some") for seed in (0, 1)}
    Path("net.py").write_text(NETWORK.replace("0.2", "0.3"))
    assert len(dl.plan(spec, sd=0.01).finished) == (4 if model["network"] == "mlp" else 0)
