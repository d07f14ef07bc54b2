"""The small dataset and settings that train in a second."""

from collections.abc import Callable
from typing import Any

import pytest

from dropout_lab.data.dataset import Dataset
from dropout_lab.data.selection import load_data
from dropout_lab.spec import DataSpec, Settings
from dropout_lab.training.devices import resolve_device
from dropout_lab.training.trainer import Trainer

PUBLISHED_RATES = {"conv1": 0.2, "conv2": 0.2, "dense": 0.5}


@pytest.fixture(scope="session")
def dataset() -> Dataset:
    return load_data(DataSpec(num_train=250, num_test=200))


@pytest.fixture
def make_trainer(dataset: Dataset) -> Callable[..., Trainer]:
    """Make a trainer of the stock engine with 3 steps an epoch, the last one smaller."""

    def make(
        *, dropout: Any = PUBLISHED_RATES, seed: int = 0, engine: str = "stock", **training: Any
    ) -> Trainer:
        settings = Settings.model_validate(
            {"model": {"dropout": dropout}, "training": {"epochs": 2, "batch_size": 100, **training}}
        )
        device = resolve_device("cpu", settings.training.precision)
        return Trainer(settings, dataset, seed, device, engine)

    return make
