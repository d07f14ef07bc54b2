"""The dropout check catches planted faults of the training step and raises no false alarm."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from dropout_lab.errors import TrainingError
from dropout_lab.models.inspection import dropout_layers
from dropout_lab.spec.schedules import Schedule
from dropout_lab.training import graphs
from dropout_lab.training.dropout_check import (
    FALSE_ALARMS,
    agreement_p_value,
    check_dropout,
    rate_p_value,
)
from dropout_lab.training.engines import backpropagation, blocks, compiled, masks
from dropout_lab.training.engines.compiled import compiled_steps
from dropout_lab.training.engines.observation import DropoutObservation
from dropout_lab.training.loop import Progress
from dropout_lab.training.trainer import Trainer

MakeTrainer = Callable[..., Trainer]
ENGINES = ["fast", "stock"]


RESOLUTION = 2**-16


@pytest.fixture
def compiled_here(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Compile the steps of this test in it, with its faults, and forget them after it."""
    monkeypatch.setattr(graphs, "_GRAPHS", {})
    compiled_steps.cache_clear()
    yield
    compiled_steps.cache_clear()


def observation(kept: np.ndarray) -> DropoutObservation:
    return DropoutObservation("dropout", np.ones_like(kept), kept)


def dropping(num_dropped: int, num_examined: int) -> DropoutObservation:
    return observation(np.arange(num_examined) >= num_dropped)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_check_reads_each_layers_fraction_and_changes_no_weight(
    make_trainer: MakeTrainer, engine: str
) -> None:
    trainer = make_trainer(engine=engine)
    before = trainer.weights_fingerprint()
    checks = trainer.check_dropout()
    assert [(check.layer, check.rate) for check in checks] == [
        ("conv1", 0.2),
        ("conv2", 0.2),
        ("dense", 0.5),
    ]
    for check in checks:
        seen = dropping(round(check.dropped_fraction * check.num_examined), check.num_examined)
        assert rate_p_value(seen, check.rate) > FALSE_ALARMS
        assert check.num_examined > 1000
    assert trainer.weights_fingerprint() == before


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("seed", [31750, 32648])
def test_seeds_that_were_refused_train(make_trainer: MakeTrainer, engine: str, seed: int) -> None:
    assert len(make_trainer(engine=engine, seed=seed).check_dropout()) == 3


@pytest.mark.parametrize("engine", ENGINES)
def test_a_rate_next_to_1_trains(make_trainer: MakeTrainer, engine: str) -> None:
    trainer = make_trainer(engine=engine, dropout=0.99999999, epochs=1)
    trainer.check_dropout()
    progress = trainer.train(Progress(), lambda _: None)
    assert math.isfinite(progress.epochs[0].loss)


@pytest.mark.parametrize("engine", ENGINES)
def test_dropout_that_is_off_drops_nothing(make_trainer: MakeTrainer, engine: str) -> None:
    assert {check.dropped_fraction for check in make_trainer(engine=engine, dropout=0).check_dropout()} == {0}


@pytest.mark.usefixtures("compiled_here")
def test_a_wrong_rate_in_the_kernels_is_caught(
    make_trainer: MakeTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The masks alone are drawn at another rate; layers, spec and scale stay as they are."""
    one_percent = np.uint32(655)
    monkeypatch.setattr(
        blocks,
        "kept",
        lambda words, element, threshold: masks.kept(words, element, threshold + one_percent),
    )
    with pytest.raises(TrainingError, match=r"Layer dropout drops 2[01]\.\d+% of \d+ elements"):
        make_trainer(engine="fast").check_dropout()


@pytest.mark.parametrize("engine", ENGINES)
def test_swapped_layers_are_caught(
    make_trainer: MakeTrainer, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    """The model is built with the rates of two sites exchanged."""
    from dropout_lab.training import trainer

    build_network = trainer.build_network

    def build_swapped(spec: Any, *others: Any, **options: Any) -> Any:
        swapped = spec.rates | {"conv1": spec.rates["dense"], "dense": spec.rates["conv1"]}
        return build_network(spec.model_copy(update={"dropout": swapped}), *others, **options)

    monkeypatch.setattr(trainer, "build_network", build_swapped)
    with pytest.raises(TrainingError, match="Layer dropout drops"):
        make_trainer(engine=engine).check_dropout()


@pytest.mark.usefixtures("compiled_here")
def test_blocks_that_take_each_others_rates_are_caught(
    make_trainer: MakeTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    gradients = backpropagation.Backpropagation.gradients

    def exchanging(self: backpropagation.Backpropagation, *others: Any) -> Any:
        *others, dropout = others
        return gradients(self, *others, dropout[::-1])

    monkeypatch.setattr(backpropagation.Backpropagation, "gradients", exchanging)
    with pytest.raises(TrainingError, match="Layer dropout drops"):
        make_trainer(engine="fast").check_dropout()


@pytest.mark.usefixtures("compiled_here")
def test_a_mask_that_is_stuck_at_one_step_is_caught_in_the_fast_engine(
    make_trainer: MakeTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    example_keys = masks.example_keys
    monkeypatch.setattr(
        masks,
        "example_keys",
        lambda seed, step, first, size: example_keys(seed, tf.zeros_like(step), first, size),
    )
    with pytest.raises(TrainingError, match="drops the same elements in every step"):
        make_trainer(engine="fast").check_dropout()


@pytest.mark.usefixtures("compiled_here")
def test_a_loop_that_does_not_count_its_steps_is_caught(
    make_trainer: MakeTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    fold = compiled.fold

    def stuck(body: Any, start: Any, num_steps: tf.Tensor, first_step: tf.Tensor) -> Any:
        return fold(lambda i, _, result: body(i, first_step, result), start, num_steps, first_step)

    monkeypatch.setattr(compiled, "fold", stuck)
    with pytest.raises(TrainingError, match="drops the same elements in every step"):
        make_trainer(engine="fast").check_dropout()


@pytest.mark.usefixtures("compiled_here")
def test_a_mask_that_is_stuck_at_one_step_is_caught_in_the_stock_engine(
    make_trainer: MakeTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = make_trainer()
    for layer in dropout_layers(trainer.model):
        monkeypatch.setattr(
            layer.seed_generator, "next", lambda layer=layer: layer.seed_generator.state.value
        )
    with pytest.raises(TrainingError, match="drops the same elements in every step"):
        trainer.check_dropout()


@pytest.mark.usefixtures("compiled_here")
@pytest.mark.parametrize("rate", [0.2, 0.0])
def test_dropout_that_is_off_or_on_by_mistake_is_caught(make_trainer: MakeTrainer, rate: float) -> None:
    trainer = make_trainer(dropout=rate)
    call = (lambda inputs, training=False: inputs) if rate else (lambda inputs, training=False: inputs * 0)
    trainer.model.get_layer("dropout_1").call = call
    with pytest.raises(TrainingError, match="Layer dropout_1 drops"):
        trainer.check_dropout()


def test_p_values_are_those_of_the_binomial_distribution() -> None:
    # 2 elements, none dropped: (1 - rate)^2, at the smallest rate that the tolerance allows.
    assert rate_p_value(dropping(0, 2), 0.5) == pytest.approx((0.5 + RESOLUTION) ** 2)
    assert rate_p_value(dropping(2, 2), 0.5) == pytest.approx((0.5 + RESOLUTION) ** 2)
    assert rate_p_value(dropping(1, 100), 0.0) == 0
    assert rate_p_value(dropping(0, 100), 0.0) == 1
    assert rate_p_value(dropping(100, 100), 0.99999999) == 1
    same = np.ones((2, 3), bool)
    extreme = 0.5 + RESOLUTION
    agreement = extreme**2 + (1 - extreme) ** 2
    assert agreement_p_value(observation(same), 0.5) == pytest.approx(agreement**3)
    assert agreement_p_value(observation(same), 0.0) == 1


def test_a_layer_without_an_active_element_is_left_out() -> None:
    nothing = np.zeros((2, 5), bool)
    assert check_dropout([DropoutObservation("dropout", nothing, nothing)], {"dropout": 0.5}) == []


@pytest.mark.parametrize("rate", [0.001, 0.2, 0.5, 0.99])
@pytest.mark.parametrize("num_elements", [10, 1_000, 200_000])
def test_1000_seeds_raise_no_false_alarm(rate: float, num_elements: int) -> None:
    """Simulated masks of two steps, for a smoke-sized network and for the smallest one."""
    random = np.random.default_rng(num_elements)
    p_values = []
    for _ in range(1000):
        dropped = random.binomial(num_elements, rate, 2)
        both_dropped = random.hypergeometric(dropped[0], num_elements - dropped[0], dropped[1])
        kept = np.ones((2, num_elements), bool)
        kept[0, : dropped[0]] = False
        kept[1, dropped[0] - both_dropped : dropped[0] - both_dropped + dropped[1]] = False
        (check,) = check_dropout([observation(kept)], {"dropout": rate})
        p_values.append(rate_p_value(observation(kept), rate))
        assert check.num_examined == 2 * num_elements
    # The smallest of 1,000 p-values is about 1/1,000, far above the bound.
    assert min(p_values) > 1e-7


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_smoke_sized_runs_of_many_seeds_pass(make_trainer: MakeTrainer, engine: str) -> None:
    for seed in range(25):
        trainer = make_trainer(engine=engine, seed=seed, dropout={"conv1": 0.2, "conv2": 0.2, "dense": 0.001})
        assert len(trainer.check_dropout()) == 3


EARLY = {"schedule": {"shape": "early", "until": 1}, "conv1": 0.2, "conv2": 0.2, "dense": 0.5}
LATE = {**EARLY, "schedule": {"shape": "late", "until": 1}}


@pytest.mark.parametrize("dropout", [EARLY, LATE])
def test_a_rate_that_changes_is_checked_where_it_is_highest(make_trainer: MakeTrainer, dropout: Any) -> None:
    checks = make_trainer(engine="fast", dropout=dropout).check_dropout()
    assert {check.layer: check.rate for check in checks} == {
        "conv1": 0.2,
        "conv2": 0.2,
        "dense": 0.5,
    }
    for check in checks:
        assert check.dropped_fraction == pytest.approx(check.rate, abs=0.05)


@pytest.mark.parametrize(("of_engine", "of_spec"), [("constant", LATE), ("late", EARLY)])
def test_an_engine_with_another_schedule_is_caught(
    make_trainer: MakeTrainer, monkeypatch: pytest.MonkeyPatch, of_engine: str, of_spec: Any
) -> None:
    from dropout_lab.training import trainer

    build_engine = trainer.build_engine
    other = Schedule(shape=of_engine, until=1)

    def build(*others: Any, **options: Any) -> Any:
        *others, rates = others
        return build_engine(*others, replace(rates, schedules=dict.fromkeys(rates.full, other)), **options)

    monkeypatch.setattr(trainer, "build_engine", build)
    with pytest.raises(TrainingError, match=r"Layer dropout drops .* \(rate: "):
        make_trainer(engine="fast", dropout=of_spec).check_dropout()


def test_steps_of_different_rates_are_checked_between_both() -> None:
    assert rate_p_value(dropping(50, 100), [0.4, 0.6]) > 0.1
    assert rate_p_value(dropping(50, 100), [0.4, 0.4]) < rate_p_value(dropping(50, 100), [0.4, 0.6])
    assert rate_p_value(dropping(50, 10_000), [0.4, 0.6]) == pytest.approx(0)
    never_or_always = np.array([np.zeros(100, bool), np.ones(100, bool)])
    assert agreement_p_value(observation(~never_or_always), [0.0, 0.9]) == 1
    assert agreement_p_value(observation(np.ones((2, 100), bool)), [0.0, 0.9]) < 1e-90
