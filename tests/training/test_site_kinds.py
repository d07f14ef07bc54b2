"""Training with every kind of dropout: matched, measured where it shows, and the same after a stop."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dropout_lab.data.selection import load_data
from dropout_lab.spec import DataSpec, Settings
from dropout_lab.spec.kinds import KINDS
from dropout_lab.training.devices import resolve_device
from dropout_lab.training.loop import Progress
from dropout_lab.training.trainer import Trainer, load_model

MakeTrainer = Callable[..., Trainer]
BRANCHES = ["block1", "block2"]
MEASURED = ("standard", "spatial", "stochastic_depth")


class StoppedError(Exception):
    """Ends a training from its callback."""


@pytest.fixture
def make() -> MakeTrainer:
    """Make a trainer of a small residual network on digits, with 4 steps per epoch."""
    data = load_data(DataSpec(dataset="digits", num_train=400))

    def make(setting: object, *, rate: float = 0.0) -> Trainer:
        dropout = {"*": rate, "block*": setting} if setting else rate
        settings = Settings.model_validate(
            {
                "model": {"network": "resnet", "blocks": 1, "dropout": dropout},
                "training": {"epochs": 2, "batch_size": 100},
            }
        )
        return Trainer(settings, data, 0, resolve_device("cpu"), "stock")

    return make


def setting(kind: str, **fields: object) -> dict[str, Any]:
    return {"kind": kind, "rate": 0.3, **({"block_size": 3} if kind == "dropblock" else {}), **fields}


def ignore(_progress: Progress) -> None:
    pass


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=[] if kind == "concrete" else pytest.mark.slow) for kind in KINDS]
)
def test_a_stopped_training_ends_as_if_it_had_not_been_stopped(
    make: MakeTrainer, kind: str, tmp_path: Path
) -> None:
    whole = make(setting(kind))
    assert whole.initial_weights == make(None).initial_weights
    assert whole.batch_order == make(None).batch_order
    expected = whole.train(Progress(), ignore)

    stopped = make(setting(kind))

    def save_and_stop(progress: Progress) -> None:
        stopped.save(tmp_path, progress)
        if progress.epochs:
            raise StoppedError

    with pytest.raises(StoppedError):
        stopped.train(Progress(), save_and_stop)
    resumed = make(setting(kind))
    progress = resumed.train(resumed.restore(tmp_path, print), ignore)
    assert resumed.weights_fingerprint() == whole.weights_fingerprint() != whole.initial_weights
    assert resumed.network.rates == whole.network.rates
    assert [epoch.rates for epoch in progress.epochs] == [epoch.rates for epoch in expected.epochs]

    resumed.save_model(tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras", {})
    example = resumed.input_example()
    np.testing.assert_array_equal(loaded(example, training=False), whole.model(example, training=False))


@pytest.mark.slow
def test_learned_rates_are_those_of_each_epoch(make: MakeTrainer) -> None:
    trainer = make(setting("concrete"))
    epochs = trainer.train(Progress(), ignore).epochs
    assert [sorted(epoch.rates) for epoch in epochs] == [BRANCHES, BRANCHES]
    assert epochs[-1].rates == trainer.network.learned_rates
    assert len({epoch.rates["block1"] for epoch in epochs} | {0.3}) == 3


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("schedule", [None, "curriculum"])
def test_the_dropped_fraction_is_measured_where_it_shows(
    make: MakeTrainer, kind: str, schedule: str | None
) -> None:
    if kind == "concrete" and schedule:
        pytest.skip("its rate is learned")
    trainer = make(setting(kind, **({"schedule": schedule} if schedule else {})))
    checks = {check.layer: check for check in trainer.check_dropout()}
    if kind in MEASURED:
        assert {layer for layer in checks if layer in BRANCHES} == set(BRANCHES)
        assert checks["block1"].rate == pytest.approx(0.3, abs=1e-3)
        assert checks["block1"].dropped_fraction == pytest.approx(0.3, abs=0.1)
        assert trainer.unmeasured_sites == ()
    else:
        assert trainer.unmeasured_sites == tuple(BRANCHES)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_kinds_train_in_mixed_precision(precision: str) -> None:
    data = load_data(DataSpec(dataset="digits", num_train=200))
    for kind in ("spatial", "dropblock", "dropconnect", "concrete", "stochastic_depth"):
        settings = Settings.model_validate(
            {
                "model": {"network": "resnet", "blocks": 1, "dropout": {"block*": setting(kind)}},
                "training": {"epochs": 1, "batch_size": 100, "precision": precision},
            }
        )
        trainer = Trainer(settings, data, 0, resolve_device("cpu", precision), "stock")
        trainer.check_dropout()
        (epoch,) = trainer.train(Progress(), ignore).epochs
        assert np.isfinite(epoch.loss)
