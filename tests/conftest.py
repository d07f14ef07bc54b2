"""What all tests share: the small dataset that ships with them, and no setting of the user's."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from dropout_lab.libraries import set_variables
from dropout_lab.records import RunRecord, RunStatus

REPOSITORY = Path(__file__).resolve().parent.parent
SUBSET = REPOSITORY / "tests" / "fixtures" / "fashion-mnist"
"""1,000 training and 500 test images."""

hypothesis.settings.register_profile("dropout_lab", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("dropout_lab")

# Parallel workers inherit the environment of the process that has read this file before.
USERS_DATA = os.environ.setdefault("USERS_DROPOUT_LAB_DATA", os.environ.get("DROPOUT_LAB_DATA", ""))

for variable in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME", "MLFLOW_RUN_ID", "MLFLOW_REGISTRY_URI"):
    os.environ.pop(variable, None)
os.environ["DROPOUT_LAB_DATA"] = str(SUBSET)
set_variables()


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def subset() -> Path:
    """Folder of the small dataset, which DROPOUT_LAB_DATA names too."""
    return SUBSET


@pytest.fixture(scope="session")
def whole_dataset() -> Path:
    """Folder of the official dataset; skips where it is not on this machine."""
    from dropout_lab.data.idx_files import DEBIAN_FOLDER, keras_cache, missing_files

    places = [Path(USERS_DATA)] if USERS_DATA else [keras_cache(), DEBIAN_FOLDER]
    for folder in places:
        if not missing_files(folder):
            return folder
    pytest.skip("needs the whole dataset: `dropout-lab data` fetches it")


@pytest.fixture(scope="session")
def make_port() -> Callable[[], int]:
    """Finds a port of this machine on which nothing listens."""

    def make() -> int:
        with socket.create_server(("127.0.0.1", 0)) as server:
            return int(server.getsockname()[1])

    return make


@pytest.fixture(autouse=True)
def keras_as_imported() -> Iterator[None]:
    """Take back what a trainer set for its process: any test may follow in this one."""
    yield
    if "keras" in sys.modules:
        from dropout_lab.training.devices import configure_keras

        configure_keras("float32")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the documentation site, built without a warning."""
    pytest.importorskip("mkdocstrings", reason="the docs extra is not installed")
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=REPOSITORY,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not re.search("WARNING|ERROR", done.stderr), done.stderr
    return folder


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
            instruction_set="AVX2",
            onednn="on",
            num_threads="2",
            code="code",
            git_commit="c0ffee",
            git_dirty=False,
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
