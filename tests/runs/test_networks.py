"""Networks of the user's are built once before any run starts."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dropout_lab.data.selection import load_data
from dropout_lab.errors import UsageError
from dropout_lab.models.architecture import network_function
from dropout_lab.runs.networks import model_code, resolve_networks
from dropout_lab.runs.planning import PlannedRun, plan_runs
from dropout_lab.spec import DataSpec, ModelSpec, Spec

SOURCE = """
import keras
from keras import layers


def build(input_shape, num_classes, units=4):
    return keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Flatten(),
            layers.Dropout(0.25, name="first"),
            layers.Dense(units),
            layers.Dropout(0.5, name="top"),
            layers.Dense(num_classes),
        ]
    )
"""


@pytest.fixture
def network(tmp_path: Path) -> str:
    path = tmp_path / "planned_network.py"
    path.write_text(SOURCE)
    return f"{path}:build"


def planned(network: str, conditions: dict[str, Any]) -> list[PlannedRun]:
    data = DataSpec(num_train=100, num_test=50)
    spec = Spec(
        name="own",
        data=data.model_dump(exclude_unset=True),
        model={"network": network},
        conditions=conditions,
    )
    return resolve_networks(plan_runs(spec), {data: load_data(data)})


def test_each_run_gets_one_rate_per_site_and_the_code_of_its_network(network: str) -> None:
    built, top, published = planned(
        network,
        {
            "built": {},
            "top": {"model": {"dropout": {"*": 0, "top": 0.1}}},
            "published": {"model": {"network": "published"}},
        },
    )
    assert built.settings.model.dropout == {"first": 0.25, "top": 0.5}
    assert top.settings.model.dropout == {"first": 0.0, "top": 0.1}
    assert published.network_code == ""
    assert built.network_code == top.network_code == built.params["model.code"] != ""
    assert built.params["model.dropout.top"] == "0.5"
    assert PlannedRun.from_json(top.to_json()) == top
    fingerprint = built.spec_fingerprint
    path = Path(network.rpartition(":")[0])
    path.write_text(SOURCE.replace("units=4", "units=5"))
    assert planned(network, {"built": {}})[0].spec_fingerprint != fingerprint


def test_a_built_in_network_that_does_not_take_the_data_is_refused_before_any_run() -> None:
    images = load_data(DataSpec(num_train=100, num_test=50))
    flat = replace(
        images,
        train_inputs=images.train_inputs.reshape(100, -1),
        test_inputs=images.test_inputs.reshape(50, -1),
    )
    data = DataSpec()
    with pytest.raises(UsageError, match=r"lenet5 does not take inputs of shape \(784,\)"):
        resolve_networks(plan_runs(Spec(name="a", model={"network": "lenet5"})), {data: flat})
    runs = plan_runs(Spec(name="a", model={"network": "mlp", "hidden": [4], "dropout": 0.1}))
    assert resolve_networks(runs, {data: flat}) == runs


def test_a_pattern_must_fit_a_site_of_some_condition(network: str) -> None:
    planned(network, {"a": {"model": {"dropout": {"first": 0.1}}}, "b": {"model": {"network": "published"}}})
    with pytest.raises(UsageError, match=r"model.dropout of a: unknown site: 'frst' \(did you mean 'first'"):
        planned(network, {"a": {"model": {"dropout": {"frst": 0.1}}}, "b": {}})


def test_a_logged_model_needs_the_code_of_the_users_functions_only(
    network: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for reference in (network, "~/planned_network.py:build"):
        code = model_code(network_function(ModelSpec(network=reference)))
        assert code is not None
        assert (code.root, code.main, code.files) == (
            tmp_path,
            tmp_path / "planned_network.py",
            (tmp_path / "planned_network.py",),
        )
        assert sys.modules[code.module].__file__ == str(code.main)
    assert model_code(network_function(ModelSpec())) is None
    assert model_code(network_function(ModelSpec(network="keras.applications:MobileNetV2"))) is None


@pytest.mark.parametrize("rate", [0.3, "as_built", {"top": 0.1}])
def test_dropout_needs_a_site(rate: Any, tmp_path: Path) -> None:
    path = tmp_path / "planned_without_dropout.py"
    path.write_text("\n".join(line for line in SOURCE.splitlines() if "Dropout" not in line))
    with pytest.raises(UsageError, match=r"model\.dropout of with: the network has no dropout sites"):
        planned(f"{path}:build", {"without": {"model": {"dropout": 0}}, "with": {"model": {"dropout": rate}}})
