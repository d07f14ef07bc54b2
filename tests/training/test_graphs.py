"""Graphs are traced once for runs that differ in values only, and never shared by others."""

import gc
import weakref
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from dropout_lab.data.dataset import Dataset
from dropout_lab.data.selection import load_data
from dropout_lab.models.network import Network, build_network
from dropout_lab.models.sites import find_sites
from dropout_lab.spec import DataSpec, ModelSpec, Settings
from dropout_lab.training import graphs
from dropout_lab.training.devices import resolve_device
from dropout_lab.training.engines.keras_engine import KerasEngine
from dropout_lab.training.graphs import Graphs, likeness_of
from dropout_lab.training.progress import Progress
from dropout_lab.training.trainer import Trainer

MLP = {"network": "mlp", "hidden": [16], "dropout": 0.4}


@pytest.fixture(autouse=True)
def traced(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """No graph of another test; the names of the functions that are traced."""
    monkeypatch.setattr(graphs, "_GRAPHS", {})
    names: list[str] = []
    trace = Graphs._trace

    def noted(self: Graphs, function: Any, *rest: Any) -> Any:
        names.append(function.__name__)
        return trace(self, function, *rest)

    monkeypatch.setattr(Graphs, "_trace", noted)
    yield names


@pytest.fixture(scope="module")
def data() -> Dataset:
    return load_data(DataSpec(num_train=150, num_test=50))


def train(data: Dataset, seed: int, model: Any = MLP, **training: Any) -> tuple[str, float]:
    """Train a run from its first check to its evaluation; return its weights and its test loss."""
    content = {"model": model, "training": {"epochs": 1, "batch_size": 40, "engine": "stock", **training}}
    trainer = Trainer(Settings.model_validate(content), data, seed, resolve_device("cpu"), "stock")
    trainer.check_dropout()
    trainer.train(Progress(), lambda progress: None)
    return trainer.weights_fingerprint(), trainer.evaluate()[1].measures["loss"]


@pytest.mark.parametrize(
    ("model", "training"),
    [
        (MLP, {}),
        ({"dropout": {"conv1": 0.2, "dense": {"rate": 0.5, "kind": "concrete"}}}, {}),
        (MLP, {"augmentation": {"flip": "horizontal"}, "optimizer": "sgd", "momentum": 0.9}),
        (MLP, {"precision": "mixed_float16", "l2": 0.01, "max_norm": 2}),
        pytest.param({"network": "resnet", "blocks": 1, "dropout": 0.2}, {}, marks=pytest.mark.slow),
    ],
    ids=["mlp", "concrete", "sgd", "half", "resnet"],
)
def test_the_second_run_traces_nothing_and_has_the_weights_that_it_has_alone(
    data: Dataset, traced: list[str], monkeypatch: pytest.MonkeyPatch, model: Any, training: Any
) -> None:
    first = train(data, 0, model, **training)
    before = list(traced)
    assert sorted(before) == ["_observed", "_steps", "forward"]
    second = train(data, 1, model, **training)
    assert traced == before
    assert train(data, 0, model, **training) == first
    monkeypatch.setattr(graphs, "_GRAPHS", {})
    assert train(data, 1, model, **training) == second


def test_values_of_settings_trace_nothing(data: Dataset, traced: list[str]) -> None:
    def changing(shape: str) -> dict[str, Any]:
        return {**MLP, "dropout": {"hidden_1": {"rate": 0.4, "schedule": {"shape": shape}}}}

    weights = {train(data, 0, changing("linear"))}
    before = list(traced)
    weights.add(train(data, 0, changing("cosine"), epochs=2))
    weights.add(train(data, 0, changing("linear"), learning_rate=0.01))
    weights.add(train(data, 0, changing("linear"), epochs=2, learning_rate_schedule={"shape": "cosine"}))
    weights.add(train(data, 0, changing("linear"), batch_size=30))
    assert traced == before
    assert len(weights) == 5


@pytest.mark.parametrize(
    ("model", "training"),
    [
        ({**MLP, "dropout": 0.5}, {}),
        ({**MLP, "hidden": [17]}, {}),
        (MLP, {"optimizer": "sgd"}),
        (MLP, {"l2": 0.02}),
        (MLP, {"label_smoothing": 0.1}),
        (MLP, {"augmentation": {"flip": "vertical"}}),
        (MLP, {"precision": "mixed_bfloat16"}),
    ],
)
def test_what_a_graph_depends_on_is_traced_anew(
    data: Dataset, traced: list[str], monkeypatch: pytest.MonkeyPatch, model: Any, training: Any
) -> None:
    train(data, 0)
    before = len(traced)
    after_others = train(data, 0, model, **training)
    assert "_steps" in traced[before:]
    monkeypatch.setattr(graphs, "_GRAPHS", {})
    assert train(data, 0, model, **training) == after_others


def test_another_scaling_is_traced_anew(data: Dataset, traced: list[str]) -> None:
    train(data, 0)
    before = len(traced)
    shifted = replace(data.scaling, shift=np.full((28, 28, 1), 7.0, np.float32))
    train(replace(data, scaling=shifted), 0)
    assert sorted(traced[before:]) == ["_observed", "_steps", "forward"]


class Doubling(keras.layers.Layer):
    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return inputs * 2


@pytest.mark.parametrize("layer", [Doubling(), keras.layers.Lambda(lambda inputs: inputs * 2)])
def test_layers_of_the_users_are_not_known(layer: keras.layers.Layer) -> None:
    inner = keras.Sequential([keras.Input((4,)), layer, keras.layers.Dense(2)])
    for model in (inner, keras.Sequential([keras.Input((4,)), inner])):
        assert likeness_of(Network(model=model, sites=find_sites(model))) is None


def test_networks_of_two_seeds_are_alike_and_of_two_rates_are_not() -> None:
    def likeness(rate: float, seed: int) -> str | None:
        return likeness_of(build_network(ModelSpec(dropout=rate), (28, 28, 1), 10, seed))

    assert likeness(0.2, 0) == likeness(0.2, 1) is not None
    assert likeness(0.2, 0) != likeness(0.3, 0)


def test_a_graph_with_a_variable_of_its_own_is_not_shared(traced: list[str]) -> None:
    def counted(variable: keras.Variable) -> list[float]:
        hidden = tf.Variable(0.0)

        def count(x: tf.Tensor) -> tf.Tensor:
            return hidden.assign_add(1.0) + variable.value + x

        call = Graphs("the same", [variable]).of("count", count, tf.TensorSpec((), tf.float32))
        return [float(call(tf.constant(10.0))) for _ in range(2)]

    assert counted(keras.Variable(100.0)) == [111, 112]
    assert counted(keras.Variable(200.0)) == [211, 212]
    assert traced == ["count", "count"]


def test_two_runs_take_turns(traced: list[str]) -> None:
    """A run that is evaluated while the next one trains keeps its own variables."""

    def adding(variable: keras.Variable) -> Any:
        def add(x: tf.Tensor) -> tf.Tensor:
            variable.assign_add(x)
            return variable.value

        return Graphs("the same", [variable]).of("add", add, tf.TensorSpec((), tf.float32))

    one, other = adding(keras.Variable(100.0)), adding(keras.Variable(200.0))
    found = [float(call(tf.constant(1.0))) for call in (one, other, one, other)]
    assert found == [101, 201, 102, 202]
    assert traced == ["add"]


def test_only_the_last_used_are_kept(traced: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphs, "MOST_GRAPHS", 2)

    def call(likeness: str) -> None:
        variable = keras.Variable(1.0)
        scaled = Graphs(likeness, [variable]).of(
            likeness, lambda x: x * variable.value, tf.TensorSpec((), tf.float32)
        )
        scaled(tf.constant(1.0))

    for likeness in ("a", "b", "a", "c", "a"):
        call(likeness)
    assert len(traced) == 3
    call("b")
    assert len(traced) == 4


def test_the_variables_of_all_kept_graphs_have_a_bound(
    traced: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two graphs of a run share its variables. A run that is too large drives no other graph out."""
    monkeypatch.setattr(graphs, "MOST_BYTES", 800)

    def run(likeness: str, num_values: int) -> list[str]:
        """Return what is traced for a run with two graphs of float32."""
        variable = keras.Variable(np.ones(num_values, np.float32))
        shared, before = Graphs(likeness, [variable]), len(traced)

        def add(x: tf.Tensor) -> tf.Tensor:
            return variable.value + x

        def multiply(x: tf.Tensor) -> tf.Tensor:
            return variable.value * x

        for function in (add, multiply):
            call = shared.of(function.__name__, function, tf.TensorSpec((), tf.float32))
            assert call(tf.constant(3.0)).numpy().tolist() == [{add: 4, multiply: 3}[function]] * num_values
        return traced[before:]

    both = ["add", "multiply"]
    assert run("a", 100) == run("b", 100) == both
    assert run("a", 100) == run("b", 100) == [], "2 x 400 bytes are kept"
    assert run("large", 201) == run("large", 201) == both, "804 bytes are not"
    assert run("a", 100) == run("b", 100) == []
    assert run("c", 1) == both
    assert run("b", 100) == run("c", 1) == []
    assert run("a", 100) == both


def test_a_kept_graph_does_not_keep_the_variables_of_later_runs(traced: list[str]) -> None:
    def run(value: float) -> weakref.ref[Any]:
        """Return the storage of the variable of a run, which is over."""
        variable = keras.Variable(value)

        def add(x: tf.Tensor) -> tf.Tensor:
            return variable.value + x

        call = Graphs("the same", [variable]).of("add", add, tf.TensorSpec((), tf.float32))
        assert float(call(tf.constant(1.0))) == value + 1
        return weakref.ref(variable.handle)

    first, second = run(1.0), run(2.0)
    gc.collect()
    assert traced == ["add"]
    assert first() is not None, "the graph was traced for it"
    assert second() is None


def test_a_kept_graph_does_not_keep_the_examples(data: Dataset) -> None:
    network = build_network(ModelSpec.model_validate(MLP), (28, 28, 1), 10, 0)
    optimizer = keras.optimizers.Adam()
    optimizer.build(network.model.trainable_variables)
    inputs, labels = data.train_inputs, data.train_labels
    engine = KerasEngine(network, optimizer, inputs, labels, data.scaling, likeness=likeness_of(network))
    engine.run(np.arange(20).reshape(2, 10), 0)
    engine.observe_dropout(0)
    assert len(graphs._GRAPHS) == 2
    gone = weakref.ref(engine)
    del engine
    gc.collect()
    assert gone() is None
