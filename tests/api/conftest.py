"""A spec made in Python and its runs, trained once; tests that only read share them."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import dropout_lab as dl

TINY: dict[str, Any] = {
    "name": "tiny",
    "training": {"epochs": 2, "batch_size": 50},
    "data": {"num_train": 250, "num_test": 100},
    "model": {"filters": (4, 8), "hidden_units": 16},
    "conditions": {"none": {"model": {"dropout": 0}}, "half": {"model": {"dropout": 0.5}}},
    "claims": [{"metric": "test_loss", "condition": "half", "reference": "none", "expected": "lower"}],
}


@dataclass(frozen=True)
class Trained:
    """A folder with two conditions at two seeds.

    Attributes:
        folder: The folder of the store.
        spec: The spec.
        result: What `run` returned.
        changed: Environment variables that `run` left with another value.
    """

    folder: Path
    spec: dl.Spec
    result: dl.RunResult
    changed: set[str]


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Two conditions at two seeds; tests must leave the store as it is."""
    import tensorflow  # noqa: F401 - its import sets variables of its own

    folder = tmp_path_factory.mktemp("trained")
    spec = dl.Spec(**TINY, seeds=range(2))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("MLFLOW_LOGGING_LEVEL")
        before = dict(os.environ)
        result = dl.run(spec, progress=False)
        changed = {name for name, _ in set(before.items()) ^ set(os.environ.items())}
    return Trained(folder, spec, result, changed)


@pytest.fixture
def in_trained(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> Trained:
    """The same, as the current folder."""
    monkeypatch.chdir(trained.folder)
    return trained
