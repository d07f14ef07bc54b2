"""A new study is complete, valid as written, and never overwrites anything."""

import json
from pathlib import Path
from typing import get_args

import pytest

import dropout_lab as dl
from dropout_lab.scaffold import DataTemplate, NetworkTemplate, create_study
from dropout_lab.spec import condition_settings


@pytest.mark.parametrize("data", get_args(DataTemplate))
@pytest.mark.parametrize("network", get_args(NetworkTemplate))
def test_every_choice_gives_a_valid_spec(data, network, tmp_path):
    folder = tmp_path / "my study"
    paths = create_study(folder, data=data, network=network)
    assert {path.name for path in paths} == {path.name for path in folder.iterdir()}
    assert ("data.py" in {path.name for path in paths}) == (data == "function")
    assert ("network.py" in {path.name for path in paths}) == (network == "function")
    spec = dl.load_spec(folder / "spec.yaml")
    assert spec.name == "my-study"
    conditions = condition_settings(spec)
    assert list(conditions) == ["baseline", "dropout"]
    assert conditions["baseline"].model != conditions["dropout"].model
    assert json.loads((folder / "spec.schema.json").read_text())["title"] == "dropout_lab spec"
    for path in paths:
        assert "{" + "{" not in path.read_text()


@pytest.mark.parametrize("existing", ["spec.yaml", "network.py", "README.md"])
def test_nothing_is_overwritten(existing, tmp_path):
    (tmp_path / existing).write_text("mine")
    with pytest.raises(dl.DropoutLabError, match=f"{existing} already exists"):
        create_study(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [existing]
    assert (tmp_path / existing).read_text() == "mine"


def test_an_unknown_template_is_named_with_the_nearest(tmp_path):
    with pytest.raises(
        dl.DropoutLabError, match=r"network: unknown template 'lenet' \(did you mean 'lenet5'"
    ):
        create_study(tmp_path / "new", network="lenet")
    assert not Path(tmp_path / "new").exists()
