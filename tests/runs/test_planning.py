"""Runs follow from the spec."""

from pathlib import Path
from typing import Any

import pytest

from dropout_lab.records import Design
from dropout_lab.runs.planning import PlannedRun, plan_runs
from dropout_lab.spec import SequentialSeeds, Settings, Spec, load_spec
from dropout_lab.spec.models import Margins


@pytest.fixture
def spec(tmp_path: Path) -> Spec:
    path = tmp_path / "spec.yaml"
    path.write_text(
        "name: both\nseeds: [3, 1]\nconditions:\n  baseline: {}\n  dropout: {model: {dropout: 0.5}}\n"
        "claims:\n  - {metric: test_loss, condition: dropout, expected: lower}\n"
    )
    return load_spec(path)


def test_conditions_stay_paired_however_early_the_work_is_stopped(spec: Spec) -> None:
    assert [run.name for run in plan_runs(spec)] == [
        "baseline-seed3",
        "dropout-seed3",
        "baseline-seed1",
        "dropout-seed1",
    ]


def test_a_run_is_the_same_after_being_kept_as_json(spec: Spec) -> None:
    for run in plan_runs(spec):
        assert PlannedRun.from_json(run.to_json()) == run


def test_claims_are_fingerprinted_with_the_runs(spec: Spec) -> None:
    assert plan_runs(spec)[0].origin.claims
    assert not plan_runs(spec.model_copy(update={"claims": ()}))[0].origin.claims


def test_the_design_goes_with_each_run(spec: Spec) -> None:
    sequential = Spec(
        name="s", seeds=SequentialSeeds(first=3, most=9, step=2), primary="test_loss",
        margins=Margins(test_loss=0.02), conditions={"baseline": Settings(), "dropout": Settings()},
    )  # fmt: skip
    runs = plan_runs(sequential)
    assert len(runs) == 18
    design = Design.from_json(runs[5].origin.design)
    assert design == Design(
        primary="test_loss", first=3, most=9, step=2, num_conditions=2, margins={"test_loss": 0.02}
    )
    fixed = Design.from_json(plan_runs(spec)[0].origin.design)
    assert (fixed.first, fixed.most) == (len(spec.seeds), len(spec.seeds))
    assert fixed.claims
    assert (design.varying, fixed.varying) == ((), ("model.dropout*",))
    both = {"model": {"dropout": 0.5}, "training": {"epochs": 20}}
    confounded = Spec(name="s", conditions={"baseline": {}, "dropout": both})
    assert Design.from_json(plan_runs(confounded)[0].origin.design).confounded == (
        "model.dropout*",
        "training.epochs",
    )


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ({"scale": "unit"}, {"scale": "standardize"}, "stock"),
        ({"scale": "auto"}, {"scale": "unit"}, "auto"),
        ({"scale": "standardize"}, {"scale": "standardize", "num_train": 100}, "auto"),
        ({"dataset": "mnist"}, {"dataset": "fashion_mnist"}, "auto"),
        ({"dataset": "mnist"}, {"dataset": "digits"}, "stock"),
        ({"dataset": "a/", "image_size": 28}, {"dataset": "a/", "image_size": 32}, "stock"),
        (
            {"dataset": "a/", "image_size": 28, "color_mode": "grayscale"},
            {"dataset": "b/", "image_size": 28, "color_mode": "grayscale"},
            "auto",
        ),
        ({"dataset": "a.py:b"}, {"dataset": "a.py:b", "arguments": {"size": 28}}, "stock"),
    ],
)
def test_conditions_on_other_inputs_share_an_engine(first: Any, second: Any, expected: str) -> None:
    spec = Spec(name="s", conditions={"a": {"data": first}, "b": {"data": second}})
    assert {run.settings.training.engine for run in plan_runs(spec)} == {expected}


def test_conditions_that_are_compared_share_an_engine() -> None:
    """The engines draw other masks."""
    spec = Spec(
        name="s",
        conditions={
            "baseline": {},
            "decay": {"training": {"weight_decay": 0.1}},
            "fast": {"training": {"engine": "fast"}},
            "sgd": {"training": {"optimizer": "sgd"}},
            "mlp": {"model": {"network": "mlp"}},
        },
    )
    engines = {run.condition: run.settings.training.engine for run in plan_runs(spec)}
    assert engines == {"baseline": "stock", "decay": "stock", "fast": "fast", "sgd": "auto", "mlp": "auto"}
    assert set(Design.from_json(plan_runs(spec)[0].origin.design).varying) == {
        *("model.network", "model.dropout*", "model.filters", "model.hidden_units", "model.hidden"),
        *("training.optimizer", "training.weight_decay", "training.engine"),
    }
    alone = plan_runs(Spec(name="s", conditions={"baseline": {}, "sgd": {"training": {"optimizer": "sgd"}}}))
    assert {run.settings.training.engine for run in alone} == {"auto"}
