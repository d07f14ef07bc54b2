"""Specs made in Python: the checks of a file, and the YAML from which they are read again."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dropout_lab.errors import SpecError
from dropout_lab.spec import Spec, load_spec, override_spec
from dropout_lab.spec.building import to_yaml
from dropout_lab.spec.yaml_source import parse_yaml

CONDITIONS = {"none": {"model": {"dropout": 0}}, "half": {"model": {"dropout": {"dense": 0.5}}}}


def test_keywords_and_a_file_give_the_same_spec(tmp_path: Path) -> None:
    made = Spec(name="rates", seeds=range(3), training={"epochs": np.int64(2)}, conditions=CONDITIONS)
    file = tmp_path / "rates.yaml"
    file.write_text(
        "name: rates\nseeds: 3\ntraining: {epochs: 2}\n"
        "conditions: {none: {model: {dropout: 0}}, half: {model: {dropout: {dense: 0.5}}}}\n"
    )
    read = load_spec(file)
    assert {**made.model_dump(), "experiment": "rates"} == read.model_dump()
    assert (made.path, read.path) == ("", str(file))
    assert list(parse_yaml(made.text, "text").data) == ["name", "seeds", "training", "conditions"]


def test_the_yaml_of_a_spec_is_read_as_the_same_spec(tmp_path: Path, repository: Path) -> None:
    file = tmp_path / "again.yaml"
    for path in sorted((repository / "experiments").rglob("*.yaml")):
        spec = load_spec(path)
        file.write_text(spec.to_yaml(), encoding="utf-8")
        assert load_spec(file).model_dump() == spec.model_dump()


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False)
        | st.text(
            st.characters(
                exclude_categories=["Cc", "Cs", "Co", "Cn", "Zl", "Zp"], exclude_characters="\ufeff"
            )
        ),
        lambda part: st.lists(part, max_size=3),
        max_leaves=5,
    )
)
@settings(max_examples=200)
def test_every_value_is_read_as_it_was_written(value: Any) -> None:
    for text in (value, str(value), "1e-3", "no", "0x10", "1:30", "2001-01-01", "~"):
        assert parse_yaml(to_yaml({"key": text}), "text").data == {"key": text}


@pytest.mark.parametrize(
    ("keywords", "problem"),
    [
        ({}, "dl.Spec: [name] missing required key"),
        ({"name": "x", "training": {"epoch": 3}}, "[training.epoch] unknown key 'epoch' (did you mean 'e"),
        ({"name": "x", "conditions": {"a": {}, "A": {}}}, "condition 'A' differs from 'a' only in case"),
        ({"name": "x", "seeds": (1, 1)}, "dl.Spec: [seeds] duplicate seed: 1"),
        ({"name": "x", "seeds": object()}, "dl.Spec: [seeds] invalid value: <object"),
    ],
)  # fmt: skip
def test_mistakes_are_told_as_those_of_a_file(keywords: dict[str, Any], problem: str) -> None:
    with pytest.raises(SpecError) as caught:
        Spec(**keywords)
    assert problem in str(caught.value)


def test_overrides_of_a_spec_made_in_python() -> None:
    spec = Spec(name="rates", training={"epochs": 2}, conditions=CONDITIONS)
    changed = override_spec(spec, ["training.epochs=3", "seeds=[4]"])
    assert (changed.training.epochs, changed.all_seeds, changed.experiment) == (3, (4,), "rates")
    assert "epochs: 3" in changed.text
    assert spec.training.epochs == 2
    with pytest.raises(SpecError, match=r"\[model.dropout\] no effect on conditions"):
        override_spec(spec, ["model.dropout=0.1"])
