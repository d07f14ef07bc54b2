"""Networks in a spec: which fields apply, how rates merge, and what is refused with its place."""

import pytest

from dropout_lab.errors import SpecError
from dropout_lab.spec import ModelSpec, Spec, condition_settings, flatten, load_spec

OWN = "net.py:build"


def spec_of(**fields: object) -> Spec:
    return Spec.model_validate({"name": "a", **fields})


def rates_of(**fields: object) -> dict[str, dict[str, object]]:
    return {
        name: dict(settings.model.dropout) for name, settings in condition_settings(spec_of(**fields)).items()
    }


def test_rates_are_spread_after_conditions_are_merged() -> None:
    found = rates_of(
        model={"network": "mlp", "hidden": [8, 8], "dropout": {"input": 0.2}},
        conditions={
            "as_shared": {},
            "one": {"model": {"dropout": 0.5}},
            "more": {"model": {"dropout": {"hidden_*": 0.5}}},
            "other": {"model": {"network": "published", "dropout": {"dense": 0.5}}},
        },
    )
    assert found == {
        "as_shared": {"input": 0.2, "hidden_1": 0.0, "hidden_2": 0.0},
        "one": {"input": 0.5, "hidden_1": 0.5, "hidden_2": 0.5},
        "more": {"input": 0.2, "hidden_1": 0.5, "hidden_2": 0.5},
        "other": {"conv1": 0.0, "conv2": 0.0, "dense": 0.5},
    }


def test_rates_of_other_networks_stay_patterns_until_their_sites_are_known() -> None:
    found = rates_of(
        model={"network": OWN, "dropout": {"block*_drop": 0.1, "top": 0.2}},
        conditions={
            "none": {"model": {"dropout": 0}},
            "built": {"model": {"dropout": "as_built"}},
            "blocks": {"model": {"dropout": {"*drop": 0.3}}},
            "nested": {"model": {"dropout": {"lstm": {"recurrent_dropout": 0.4}}}},
        },
    )
    assert found == {
        "none": {"*": 0.0},
        "built": {"*": "as_built"},
        "blocks": {"top": 0.2, "*drop": 0.3},
        "nested": {"block*_drop": 0.1, "top": 0.2, "lstm.recurrent_dropout": 0.4},
    }


def test_a_name_beats_a_pattern_and_a_later_pattern_an_earlier_one() -> None:
    spec = ModelSpec(network=OWN, dropout={"top": 0.5, "*": 0.1, "block*": 0.2})
    as_built = {"top": 0.0, "block1": 0.0, "other": 0.3}
    assert spec.with_sites(as_built).rates == {"top": 0.5, "block1": 0.2, "other": 0.1}
    assert ModelSpec(network=OWN).with_sites(as_built).rates == as_built


def test_an_override_may_name_a_site_with_dots(tmp_path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(f"name: a\nmodel: {{network: '{OWN}', dropout: as_built}}\n")
    spec = load_spec(path, ["model.dropout.lstm.recurrent_dropout=0.1"])
    assert spec.model.dropout == {"*": "as_built", "lstm.recurrent_dropout": 0.1}


def test_only_fields_that_apply_are_logged() -> None:
    def keys(**model: object) -> set[str]:
        (settings,) = condition_settings(spec_of(model=model)).values()
        return {key.removeprefix("model.") for key in flatten(settings) if key.startswith("model.")}

    assert keys(network="mlp", hidden=[4]) == {"network", "hidden", "dropout.input", "dropout.hidden_1"}
    assert keys(network=OWN, arguments={"width": [1, 2]}) == {"network", "outputs", "arguments.width"}
    assert keys(network="saved.keras") == {"network", "outputs"}


@pytest.mark.parametrize(
    ("model", "condition", "place", "problem"),
    [
        (
            {"network": "mlb"},
            {},
            "model.network",
            "did you mean 'mlp'?) (allowed: published, mlp, lenet5, resnet, mod",
        ),
        ({"network": 3}, {}, "model.network", "invalid value: 3 (allowed: published, mlp"),
        ({"network": "lenet5", "hidden": [3]}, {}, "model.hidden", "does not apply to the network lenet5"),
        ({"arguments": {"a": 1}}, {}, "model.arguments", "does not apply to the network published"),
        ({"dropout": {"conv3": 0.1}}, {}, "model.dropout.conv3", "unknown site: 'conv3' (did you mean 'conv"),
        ({"dropout": {"x*": 0.1}}, {}, "model.dropout.x*", "pattern matches no site: 'x*' (allowed: conv1, "),
        ({"dropout": "as_built"}, {}, "model.dropout", "as_built does not apply to the network published"),
        (
            {"network": OWN, "dropout": 1},
            {},
            "model.dropout",
            "invalid value: 1 (allowed: a number at least 0",
        ),
        (
            {"network": OWN, "dropout": {"a": "x"}},
            {},
            "model.dropout.a",
            "invalid value: 'x' (text) (allowed: ",
        ),
        (
            {"network": "mlp"},
            {"dropout": {"hiden_1": 0.1}},
            "conditions.b.model.dropout.hiden_1",
            "unknown site: 'hiden_1' (did you mean 'hidden_1'?)",
        ),
        (
            {"network": "mlp"},
            {"filters": [8, 8]},
            "conditions.b.model.filters",
            "does not apply to the network mlp (allowed: dropout, hidden,",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(
    model: dict[str, object], condition: dict[str, object], place: str, problem: str
) -> None:
    conditions = {"a": {}, "b": {"model": condition}} if condition else {}
    with pytest.raises(SpecError) as caught:
        spec_of(model=model, conditions=conditions)
    (found,) = caught.value.problems
    assert f"[{place}] " in found
    assert problem in found


def test_a_shared_field_must_apply_to_one_condition_only() -> None:
    spec_of(
        model={"filters": [8, 8], "dropout": {"conv1": 0.1}},
        conditions={"cnn": {}, "mlp": {"model": {"network": "mlp"}}, "own": {"model": {"network": OWN}}},
    )
