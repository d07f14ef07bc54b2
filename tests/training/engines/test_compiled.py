"""Runs that differ in values only share compiled steps, and end with the bits of runs that do not."""

import gc
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dropout_lab.models import network
from dropout_lab.spec import ModelSpec
from dropout_lab.spec.schedules import Schedule
from dropout_lab.training.engines.compiled import CompiledSteps, compiled_steps

RATES = {"conv1": 0.2, "conv2": 0.2, "dense": 0.5}
OTHER_RATES = {"conv1": 0.05, "conv2": 0.61, "dense": 0.33}
SMALL = {"filters": (3, 5), "hidden_units": 7}


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[CompiledSteps]:
    """The compiled steps that engines make from here on."""
    made: list[CompiledSteps] = []
    init = CompiledSteps.__init__

    def recording(self: CompiledSteps, *arguments: Any) -> None:
        made.append(self)
        init(self, *arguments)

    monkeypatch.setattr(CompiledSteps, "__init__", recording)
    compiled_steps.cache_clear()
    return made


def trained(one: Any, num_steps: int) -> list[np.ndarray]:
    """Return the state after some steps and one in a smaller batch."""
    batches = np.random.default_rng(0).integers(0, len(one.data.train_labels), (num_steps, 20))
    one.engine.run(batches, 0)
    one.engine.run(batches[:1, :7], num_steps)
    one.engine.observe_dropout(0)
    return list(one.state())


def test_other_rates_and_numbers_of_steps_compile_nothing(
    setup: Callable[..., Any], steps: list[CompiledSteps]
) -> None:
    first = trained(setup(dropout=RATES, **SMALL), 2)
    second = trained(setup(dropout=OTHER_RATES, **SMALL), 5)
    assert len(steps) == 1
    assert steps[0].train.num_traces == steps[0].observe.num_traces == 1
    compiled_steps.cache_clear()
    alone = trained(setup(dropout=OTHER_RATES, **SMALL), 5)
    assert len(steps) == 2
    for shared, own, other in zip(second, alone, first, strict=True):
        assert np.array_equal(shared, own)
        assert own.ndim == 0 or not np.array_equal(own, other)


def test_no_variable_of_a_run_is_kept(setup: Callable[..., Any], steps: list[CompiledSteps]) -> None:
    one = setup(dropout=RATES, **SMALL)
    trained(one, 2)
    storage = [weakref.ref(variable.handle) for variable in one.variables()]
    assert all(handle() is not None for handle in storage)
    del one
    gc.collect()
    assert len(steps) == 1
    assert not any(handle() is not None for handle in storage)


def test_schedules_compile_nothing(setup: Callable[..., Any], steps: list[CompiledSteps]) -> None:
    schedules = {
        "dropout": Schedule(shape="early", until=1, unit="steps"),
        "dropout_1": Schedule(shape="linear"),
        "dropout_2": Schedule(shape="late", until=2, unit="steps"),
    }
    constant = trained(setup(dropout=RATES, **SMALL), 3)
    changing = trained(setup(dropout=RATES, rates={"schedules": schedules, "steps_per_epoch": 4}, **SMALL), 3)
    assert len(steps) == 1
    assert steps[0].train.num_traces == steps[0].observe.num_traces == 1
    assert not np.array_equal(constant[0], changing[0])


@pytest.mark.parametrize(
    "position", ["before_pooling", pytest.param("after_pooling", marks=pytest.mark.slow)]
)
def test_each_step_of_a_call_has_its_own_rate(setup: Callable[..., Any], position: str) -> None:
    """A call of several steps ends with the bits of several calls, one of which is without dropout."""
    batches = np.random.default_rng(0).integers(0, 250, (4, 20))
    late = {"schedules": {"dropout_1": Schedule(shape="late", until=3, unit="steps")}, "num_epochs": 4}
    model = {**SMALL, "dropout_position": position}
    one = setup(dropout={"conv2": 0.61}, rates=late, **model)
    one.engine.run(batches, 0)
    never, always = (setup(dropout={"conv2": rate}, **model) for rate in (0.0, 0.61))
    never.engine.run(batches[:3], 0)
    for variable, value in zip(always.variables(), never.state(), strict=True):
        variable.assign(value)
    always.engine.run(batches[3:], 3)
    for together, apart in zip(one.state(), always.state(), strict=True):
        assert np.array_equal(together, apart)


def test_what_is_compiled_in_is_not_shared(setup: Callable[..., Any], steps: list[CompiledSteps]) -> None:
    for model in (
        {"dropout": 0.2},
        {"dropout": 0.2, "dropout_position": "after_pooling"},
        {"dropout": {"conv1": 0.2, "conv2": 0.0, "dense": 0.2}},
        {"dropout": 0.2, "batch_size": 30},
        {"dropout": 0.2, "hidden_units": 8},
        {"dropout": 0.2, "precision": "mixed_bfloat16"},
    ):
        setup(**{**SMALL, **model})
    assert len(steps) == 6


def test_building_the_network_leaves_the_seed_of_tensorflow_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Setting it empties the caches of TensorFlow, and the next step takes several times as long."""
    monkeypatch.setattr(network, "seeded", lambda seed: pytest.fail("set"))
    network.build_network(ModelSpec(), (28, 28, 1), 10, run_seed=0)
