"""Runs as the tracking store hands them over, made to order."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dropout_lab.records import RunRecord, RunStatus

FIRST_START = datetime(2026, 11, 1, tzinfo=UTC)
SPEC = {
    "model.dropout.conv1": "0.0",
    "model.dropout.conv2": "0.0",
    "model.dropout.dense": "0.0",
    "model.dropout_position": "before_pooling",
    "model.filters": "32,64",
    "model.hidden_units": "128",
    "training.epochs": "10",
    "training.batch_size": "200",
    "training.optimizer": "adam",
    "training.learning_rate": "0.001",
    "training.engine": "auto",
    "training.precision": "float32",
    "device": "auto",
    "data.folder": "",
    "data.validation": "0.1",
    "data.split_seed": "0",
    "data.num_train": "",
    "data.num_test": "",
}
VERSIONS = {
    "dropout_lab": "0.1.0",
    "tensorflow": "2.21.0",
    "keras": "3.15.1",
    "python": "3.11.2",
    "numpy": "2.4.6",
    "mlflow": "3.17.2",
}

MakeRun = Callable[..., RunRecord]


@pytest.fixture(scope="session")
def make_run() -> MakeRun:
    """Return a maker of finished runs; keywords that are not fields of `RunRecord` are metrics."""

    def make(
        condition: str,
        seed: int,
        *,
        spec: Mapping[str, str] | None = None,
        versions: Mapping[str, str] | None = None,
        minute: int = 0,
        rates: Sequence[float] | None = None,
        **values: Any,
    ) -> RunRecord:
        if rates is None:
            rates = (0.0, 0.0, 0.0) if condition == "baseline" else (0.2, 0.2, 0.5)
        sites = ("conv1", "conv2", "dense")
        own = {f"model.dropout.{site}": str(rate) for site, rate in zip(sites, rates, strict=True)}
        run = RunRecord(
            run_id=f"{condition}-{seed}-{minute}",
            run_name=f"{condition} seed {seed}",
            experiment_id="1",
            experiment_name="study",
            status=RunStatus.FINISHED,
            condition=condition,
            seed=seed,
            start_time=FIRST_START + timedelta(minutes=minute or seed),
            initial_weights=f"initial weights of seed {seed}",
            batch_order=f"batch order of seed {seed}",
            final_weights=f"final weights of {condition} at seed {seed}, {minute}",
            data_digest="the published images",
            device="/CPU:0",
            device_name="some processor",
            engine="fast",
            git_commit="c0ffee",
            versions={**VERSIONS, **(versions or {})},
            spec={**SPEC, **own, **(spec or {})},
        )
        fields = {key: value for key, value in values.items() if hasattr(run, key)}
        metrics = {key: value for key, value in values.items() if not hasattr(run, key)}
        return replace(run, metrics=metrics, **fields)

    return make


@pytest.fixture(scope="session")
def make_condition(make_run: MakeRun) -> Callable[..., list[RunRecord]]:
    """Return a maker of one run for each value of a metric, at seeds 0, 1, ..."""

    def make(
        condition: str, values: Sequence[float], metric: str = "test_accuracy", **others: Any
    ) -> list[RunRecord]:
        return [make_run(condition, seed, **{metric: value}, **others) for seed, value in enumerate(values)]

    return make
