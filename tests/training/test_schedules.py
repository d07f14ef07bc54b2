"""Both engines drop at the rate of each step, as it is read from the step that trains."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dropout_lab.data.dataset import Dataset
from dropout_lab.models.sites import Site
from dropout_lab.spec import Settings
from dropout_lab.spec.training import EarlyStopping
from dropout_lab.training.dropout_check import FALSE_ALARMS, agreement_p_value, rate_p_value
from dropout_lab.training.early_stopping import best_epoch
from dropout_lab.training.progress import Progress
from dropout_lab.training.rates import rates_at
from dropout_lab.training.restoring import restore_network
from dropout_lab.training.trainer import Trainer

MakeTrainer = Callable[..., Trainer]
ENGINES = ["fast", pytest.param("stock", marks=pytest.mark.slow)]
RATES = {"conv1": 0.2, "conv2": 0.3, "dense": 0.5}
STEPS_PER_EPOCH, EPOCHS = 3, 4

MIXED = {
    "conv1": {"rate": 0.2, "schedule": {"shape": "early", "until": 2}},
    "conv2": {"rate": 0.3, "schedule": {"shape": "linear", "until": 8, "unit": "steps"}},
    "dense": {"rate": 0.5, "schedule": {"shape": "late", "until": 1}},
}


def scheduled(schedule: Any) -> dict[str, Any]:
    return {**RATES, "schedule": schedule}


def trained_until(trainer: Trainer, num_steps: int) -> str:
    """Return the fingerprint of the weights after some steps."""
    batches = np.arange(250)[: 20 * num_steps].reshape(num_steps, 20)
    trainer._engine.run(batches, 0)
    return trainer.weights_fingerprint()


@pytest.mark.parametrize("engine", ENGINES)
def test_the_running_step_drops_what_the_schedule_states_at_each_epoch(
    make_trainer: MakeTrainer, engine: str
) -> None:
    trainer = make_trainer(engine=engine, dropout=MIXED, epochs=EPOCHS, batch_size=100)
    sites: dict[str, Site] = {site.path: site for site in trainer.network.sites}
    fractions: dict[str, list[float]] = {site.name: [] for site in sites.values()}
    for epoch in range(EPOCHS):
        step = epoch * STEPS_PER_EPOCH + 1
        stated = trainer._rates.at(step, 2)
        for seen in trainer._engine.observe_dropout(step):
            assert seen.num_examined > 1000
            assert rate_p_value(seen, stated[seen.layer]) > FALSE_ALARMS
            assert agreement_p_value(seen, stated[seen.layer]) > FALSE_ALARMS
            fractions[sites[seen.layer].name].append(seen.num_dropped / seen.num_examined)
    line = [0.3 * np.mean(np.minimum(np.array([step, step + 1]) / 7, 1)) for step in (1, 4, 7, 10)]
    assert fractions["conv1"] == pytest.approx([0.2, 0.2, 0, 0], abs=0.05)
    assert fractions["conv2"] == pytest.approx(line, abs=0.05)
    assert fractions["dense"] == pytest.approx([0, 0.5, 0.5, 0.5], abs=0.05)
    assert fractions["conv1"][2:] == fractions["dense"][:1] * 2 == [0, 0], "at rate 0 nothing is dropped"


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["fast", "stock"])
def test_late_dropout_is_none_and_early_dropout_is_standard_before_the_cutoff(
    make_trainer: MakeTrainer, engine: str
) -> None:
    """Bit for bit: matched twins across schedules, and the masks of standard dropout."""
    trainers = {
        name: make_trainer(engine=engine, dropout=dropout, batch_size=20)
        for name, dropout in {
            "none": 0,
            "standard": RATES,
            "late": scheduled({"shape": "late", "until": 3, "unit": "steps"}),
            "early": scheduled({"shape": "early", "until": 3, "unit": "steps"}),
        }.items()
    }
    assert len({trainer.initial_weights for trainer in trainers.values()}) == 1
    assert len({trainer.batch_order for trainer in trainers.values()}) == 1
    weights = {name: trained_until(trainer, 3) for name, trainer in trainers.items()}
    assert weights["late"] == weights["none"] != weights["standard"] == weights["early"]


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["fast", "stock"])
def test_the_logged_rates_are_those_of_the_last_steps_and_the_model_keeps_the_last(
    make_trainer: MakeTrainer, engine: str
) -> None:
    dropout = {**MIXED, "conv2": 0.3}
    trainer = make_trainer(engine=engine, dropout=dropout, epochs=3, batch_size=100)
    progress = trainer.train(Progress(), lambda _: None)
    assert [epoch.rates for epoch in progress.epochs] == [
        {"conv1": 0.2, "dense": 0.0},
        {"conv1": 0.2, "dense": 0.5},
        {"conv1": 0.0, "dense": 0.5},
    ]
    exported = trainer.network.export()
    layers = [exported.get_layer(name) for name in ("dropout", "dropout_1", "dropout_2")]
    assert [layer.rate for layer in layers] == [0.0, 0.3, 0.5]
    assert {type(layer).__module__.partition(".")[0] for layer in layers} == {"keras"}


@pytest.mark.slow
@pytest.mark.parametrize("dropout", [{"kind": "spatial"}, {"kind": "gaussian"}, {"kind": "dropblock"}, {}])
def test_other_kinds_change_their_rate_too(make_trainer: MakeTrainer, dropout: dict[str, Any]) -> None:
    at_conv2 = {"rate": 0.3, **dropout, "schedule": {"shape": "late", "until": 2, "unit": "steps"}}
    if dropout.get("kind") == "dropblock":
        at_conv2["block_size"] = 3
    late = make_trainer(dropout={"conv2": at_conv2}, batch_size=20)
    none = make_trainer(dropout=0, batch_size=20)
    assert trained_until(late, 2) == trained_until(none, 2)
    assert trained_until(late, 4) != trained_until(none, 4)


@pytest.mark.slow
def test_the_variables_of_keras_layers_hold_the_rate_of_the_last_step(make_trainer: MakeTrainer) -> None:
    schedule = {"shape": "curriculum", "gamma": 0.5, "unit": "steps"}
    trainer = make_trainer(dropout={"rate": 0.5, "schedule": schedule}, epochs=EPOCHS, batch_size=100)
    variables = trainer.network.rate_variables
    trained_until(trainer, 4)
    own = trainer._rates.schedules[trainer.network.sites[0].path]
    expected = rates_at(own, 0.5, [3], steps_per_epoch=STEPS_PER_EPOCH, num_epochs=EPOCHS)[0]
    assert {name: float(variable.numpy()) for name, variable in variables.items()} == pytest.approx(
        dict.fromkeys(("conv1", "conv2", "dense"), expected)
    )


@pytest.mark.slow
def test_the_restored_network_of_a_run_has_the_rates_of_its_last_step(
    make_trainer: MakeTrainer, dataset: Dataset, tmp_path: Path
) -> None:
    block = {"kind": "dropblock", "rate": 0.2, "block_size": 3}
    early = MIXED["conv1"]
    ended = {"conv2": {**block, **early}, "dense": {"kind": "dropconnect", **early}}
    for engine, dropout in (
        ("fast", {"conv1": 0.2, "dense": early}),
        ("stock", {"conv1": block, "dense": early}),
        ("stock", {"conv1": block, **ended}),
        ("stock", {"images": early, "conv1": 0.2, "dense": early}),
        ("stock", {"images": early, "conv1": block}),
    ):
        trainer = make_trainer(engine=engine, dropout=dropout, epochs=3, batch_size=100)
        trainer.train(Progress(), lambda _: None)
        trainer.save_model(tmp_path / "model.keras")
        settings = Settings.model_validate(
            {"model": {"dropout": dropout}, "training": {"epochs": 3, "batch_size": 100}}
        )
        restored = restore_network(
            tmp_path / "model.keras", settings, dataset, 0, trainer.weights_fingerprint(), {}
        )
        expected = {"conv1": 0.2, "conv2": 0.0, "dense": 0.0}
        for network in (restored, trainer.network):
            assert {name: network.rates[name] for name in expected} == expected
            assert sum(network.rates.values()) == 0.2


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["fast", "stock"])
def test_the_rates_belong_to_the_epoch_of_the_best_weights(make_trainer: MakeTrainer, engine: str) -> None:
    trainer = make_trainer(
        engine=engine,
        dropout={"rate": 0.5, "schedule": {"shape": "linear"}},
        epochs=9,
        learning_rate=1.0,
        early_stopping={"patience": 1, "metric": "val_accuracy"},
    )
    progress = trainer.train(Progress(), lambda _: None)
    best = best_epoch(EarlyStopping(metric="val_accuracy"), progress.epochs)
    assert best < len(progress.epochs)
    assert trainer.network.rates == pytest.approx(progress.epochs[best - 1].rates)
