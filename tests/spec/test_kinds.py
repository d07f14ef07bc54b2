"""Kinds of dropout in a spec: how settings of sites merge, are logged, and what is refused where."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dropout_lab.errors import SpecError
from dropout_lab.runs.planning import PlannedRun, plan_runs
from dropout_lab.site_params import FIELDS, logged_kinds, logged_rates
from dropout_lab.spec import ModelSpec, Settings, Spec, condition_settings, flatten, load_spec
from dropout_lab.spec.kinds import KINDS, PARAMETERS, SiteDropout

Load = Callable[..., Spec]
OWN = "net.py:build"


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def load(text: str, *overrides: str) -> Spec:
        path = tmp_path / "k.yaml"
        path.write_text(f"name: k\n{text}\n", encoding="utf-8")
        return load_spec(path, overrides)

    return load


def logged(spec: Spec) -> dict[str, dict[str, str]]:
    """Return what is logged about dropout, by condition, without what is 0."""
    return {
        name: {
            key.removeprefix("model.dropout."): value
            for key, value in flatten(settings).items()
            if key.startswith("model.dropout.") and value != "0.0"
        }
        for name, settings in condition_settings(spec).items()
    }


@pytest.mark.parametrize(
    ("dropout", "expected"),
    [
        ("{conv1: {kind: spatial, rate: 0.2}}", {"conv1": "0.2", "conv1.kind": "spatial"}),
        ("{conv1: {rate: 0.2}}", {"conv1": "0.2"}),
        ("{rate: 0.2}", {"conv1": "0.2", "conv2": "0.2", "dense": "0.2"}),
        ("{kind: standard, rate: 0.2}", {"conv1": "0.2", "conv2": "0.2", "dense": "0.2"}),
        (
            "{kind: gaussian, rate: 0.3, conv2: 0, dense: {rate: 0.5}}",
            {"conv1": "0.3", "conv1.kind": "gaussian", "dense": "0.5", "dense.kind": "gaussian"},
        ),
        (
            "{kind: gaussian, rate: 0.3, conv*: 0, dense: 0.5}",
            None,  # no site is left for the kind
        ),
        (
            "{conv1: {kind: dropblock, rate: 0.1}, conv2: {kind: dropblock, rate: 0.1, block_size: 3}}",
            {
                "conv1": "0.1", "conv1.kind": "dropblock", "conv1.block_size": "7",
                "conv2": "0.1", "conv2.kind": "dropblock", "conv2.block_size": "3",
            },
        ),
    ],
)  # fmt: skip
def test_settings_are_logged_by_site(load: Load, dropout: str, expected: dict[str, str] | None) -> None:
    text = f"model: {{dropout: {dropout}}}"
    if expected is None:
        with pytest.raises(SpecError, match=r"model\.dropout\.kind\] no effect: a bare rate is standard"):
            load(text)
    else:
        assert logged(load(text)) == {"k": expected}


def test_a_rate_alone_is_the_setting_that_it_was() -> None:
    bare = ModelSpec(dropout={"dense": 0.5})
    for dropout in ({"dense": {"rate": 0.5}}, {"dense": {"rate": 0.5, "kind": "standard"}}):
        spec = ModelSpec.model_validate({"dropout": dropout})
        assert spec.resolved() == bare.resolved()
        assert flatten(Settings(model=spec)) == flatten(Settings(model=bare))


def test_conditions_change_fields_and_a_bare_rate_replaces_them(load: Load) -> None:
    spec = load(
        "model: {dropout: {conv1: {kind: dropblock, rate: 0.1, block_size: 3}, dense: 0.5}}\n"
        "conditions:\n"
        "  as_shared: {}\n"
        "  none: {model: {dropout: 0}}\n"
        "  bare: {model: {dropout: {conv1: 0.1}}}\n"
        "  rate: {model: {dropout: {conv1: {rate: 0.4}}}}\n"
        "  size: {model: {dropout: {conv1: {block_size: 5}}}}\n"
        "  kind: {model: {dropout: {conv1: {kind: spatial}}}}\n"
        "  all: {model: {dropout: {kind: gaussian, conv2: {rate: 0.3}}}}\n"
    )
    block = {"conv1.kind": "dropblock", "conv1.block_size": "3", "dense": "0.5"}
    assert logged(spec) == {
        "as_shared": {"conv1": "0.1", **block},
        "none": {},
        "bare": {"conv1": "0.1", "dense": "0.5"},
        "rate": {"conv1": "0.4", **block},
        "size": {"conv1": "0.1", **block, "conv1.block_size": "5"},
        "kind": {"conv1": "0.1", "conv1.kind": "spatial", "dense": "0.5"},
        "all": {
            "conv1": "0.1", "conv1.kind": "gaussian", "conv2": "0.3", "conv2.kind": "gaussian",
            "dense": "0.5", "dense.kind": "gaussian",
        },
    }  # fmt: skip


@pytest.mark.parametrize(
    ("dropout", "change", "place"),
    [
        ("{rate: 0.2, kind: concrete}", "{dense: {block_size: 3}}", "dense.block_size"),
        ("{rate: 0.2, kind: concrete}", "{block_size: 3}", "block_size"),
        ("{dense: {rate: 0.2, kind: concrete}}", "{dense: {block_size: 3}}", "dense.block_size"),
    ],
)
def test_a_parameter_of_another_kind_than_the_shared_one_is_refused_where_it_stands(
    load: Load, dropout: str, change: str, place: str
) -> None:
    with pytest.raises(SpecError) as error:
        load(f"model: {{dropout: {dropout}}}\nconditions: {{a: {{model: {{dropout: {change}}}}}, b: {{}}}}\n")
    assert f"[conditions.a.model.dropout.{place}] does not apply to the kind concrete" in str(error.value)
    with pytest.raises(SpecError, match=r"\[model\.dropout\.dense\.block_size\] does not apply to the kind"):
        load("model: {dropout: {rate: 0.2, kind: concrete, dense: {block_size: 3}}}")


def test_patterns_add_up_and_the_name_of_a_site_comes_last() -> None:
    dropout = {"*": {"kind": "spatial"}, "block*": 0.2, "top": {"rate": 0.5}, "b*": {"kind": "gaussian"}}
    spec = ModelSpec.model_validate({"network": OWN, "dropout": dropout})
    found = spec.with_sites({"top": 0.1, "block1": 0.0, "other": 0.3})
    assert found.rates == {"top": 0.5, "block1": 0.2, "other": 0.3}
    assert found.kinds == {"top": "spatial", "block1": "gaussian", "other": "spatial"}
    assert found.with_sites(found.rates) == found


def test_an_override_changes_dropout_as_a_condition_does(load: Load) -> None:
    shared = "model: {dropout: {conv1: 0.1, dense: {kind: gaussian, rate: 0.5}}}"
    for override, expected in {
        "model.dropout.dense.kind=spatial": {"conv1": "0.1", "dense": "0.5", "dense.kind": "spatial"},
        "model.dropout.dense.rate=0.3": {"conv1": "0.1", "dense": "0.3", "dense.kind": "gaussian"},
        "model.dropout.dense=0.3": {"conv1": "0.1", "dense": "0.3"},
        "model.dropout.c*=0": {"dense": "0.5", "dense.kind": "gaussian"},
    }.items():
        assert logged(load(shared, override)) == {"k": expected}
    assert logged(load("model: {dropout: 0.2}", "model.dropout.conv1.kind=spatial"))["k"] == {
        "conv1": "0.2", "conv1.kind": "spatial", "conv2": "0.2", "dense": "0.2",
    }  # fmt: skip


def test_an_override_of_a_field_that_a_condition_sets_is_refused(load: Load) -> None:
    text = (
        "model: {dropout: {kind: gaussian, rate: 0.2}}\n"
        "conditions: {a: {}, b: {model: {dropout: {dense: {kind: spatial}}}}}"
    )
    assert logged(load(text, "model.dropout.rate=0.3"))["b"]["dense"] == "0.3"
    with pytest.raises(SpecError, match=r"override conditions\.b\.model\.dropout\.kind instead"):
        load(text, "model.dropout.kind=alpha")
    overrides = ["model.dropout.kind=alpha", "conditions.b.model.dropout.dense.kind=alpha"]
    assert set(logged_kinds(flatten(condition_settings(load(text, *overrides))["b"])).values()) == {"alpha"}


def test_a_grid_varies_kinds(load: Load) -> None:
    spec = load(
        "model: {dropout: {dense: 0.5}}\n"
        "grid: {model.dropout.dense.kind: [standard, spatial], model.dropout.dense.rate: [0.1, 0.3]}"
    )
    assert logged(spec) == {
        "kind-standard_rate-0.1": {"dense": "0.1"},
        "kind-standard_rate-0.3": {"dense": "0.3"},
        "kind-spatial_rate-0.1": {"dense": "0.1", "dense.kind": "spatial"},
        "kind-spatial_rate-0.3": {"dense": "0.3", "dense.kind": "spatial"},
    }
    everywhere = load("model: {dropout: 0.3}\ngrid: {model.dropout.kind: [standard, alpha]}")
    assert list(everywhere.conditions) == ["kind-standard", "kind-alpha"]
    own = load(f"model: {{network: '{OWN}'}}\ngrid: {{model.dropout.lstm.dropout.kind: [standard, alpha]}}")
    assert [settings.model.dropout for settings in condition_settings(own).values()] == [
        {"lstm.dropout": SiteDropout(kind=kind)} for kind in ("standard", "alpha")
    ]


PROBLEMS = {
    "{conv1: {kind: spatil, rate: 0.2}}": (
        "[model.dropout.conv1.kind] invalid value: 'spatil' (did you mean 'spatial'?)"
        f" (allowed: {', '.join(KINDS[:-1])} or {KINDS[-1]})"
    ),
    "{kind: 3, rate: 0.2}": "[model.dropout.kind] invalid value: 3 (allowed: standard, spatial, ",
    "{conv1: {kind: spatial, rate: 1}}": (
        "[model.dropout.conv1.rate] invalid value: 1 (allowed: a number at least 0 and below 1, or as_built)"
    ),
    "{conv1: {knd: spatial, rate: 0.2}}": (
        "[model.dropout.conv1.knd] unknown key 'knd' (did you mean 'kind'?)"
    ),
    "{conv1: {knd: spatial}}": (
        "[model.dropout.conv1.knd] invalid value: 'spatial' (text) (did you mean 'kind'?) (allowed: "
    ),
    "{knd: 0.2}": "[model.dropout.knd] unknown site: 'knd' (did you mean 'kind'?)",
    "{conv1: spatial}": (
        "[model.dropout.conv1] invalid value: 'spatial' (text) (allowed: a number at least 0 and below 1,"
        " as_built, or a mapping such as {kind: spatial, rate: 0.2})"
    ),
    "{conv1: {kind: spatial, rate: 0.2, block_size: 3}}": (
        "[model.dropout.conv1.block_size] does not apply to the kind spatial (required: kind: dropblock)"
    ),
    "{conv1: {rate: 0.2, block_size: 3}}": (
        "[model.dropout.conv1.block_size] does not apply without a kind (required: kind: dropblock)"
    ),
    "{block_size: 3, conv1: {kind: spatial, rate: 0.1}}": (
        "[model.dropout.block_size] does not apply without a kind (required: kind: dropblock)"
    ),
    "{conv1: {kind: dropblock, rate: 0.2, block_size: 0}}": (
        "[model.dropout.conv1.block_size] invalid value: 0 (allowed: an integer from 1 to 256)"
    ),
    "{conv1: {kind: spatial}}": (
        "[model.dropout.conv1] no rate for the kind spatial (write {kind: spatial, rate: 0.2})"
    ),
    "{kind: alpha}": "[model.dropout] no rate for the kind alpha (write {kind: alpha, rate: 0.2})",
    "{conv1: {kind: spatial, rate: as_built}}": "[model.dropout.conv1] as_built does not apply to the net",
    "{conv9: {kind: spatial, rate: 0.1}}": "[model.dropout.conv9] unknown site: 'conv9' (did you mean 'con",
}


@pytest.mark.parametrize("dropout", PROBLEMS)
def test_what_is_wrong_is_named_once_with_its_place(load: Load, dropout: str) -> None:
    with pytest.raises(SpecError) as caught:
        load(f"model: {{dropout: {dropout}}}")
    (problem,) = caught.value.problems
    assert PROBLEMS[dropout] in problem


def test_a_mistake_in_a_grid_or_an_override_is_named_there(load: Load) -> None:
    with pytest.raises(SpecError, match=r"k\.yaml:2: \[grid\.model\.dropout\.kind\] invalid value: 'spatil'"):
        load("grid: {model.dropout.kind: [spatil], model.dropout.rate: [0.1, 0.2]}")
    with pytest.raises(SpecError, match=r"^--set model\.dropout\.kind=spatil: \[model\.dropout\.kind\] inv"):
        load("model: {dropout: 0.1}", "model.dropout.kind=spatil")


def test_a_kind_that_no_condition_keeps_is_refused(load: Load) -> None:
    conditions = "conditions: {a: {model: {dropout: 0.1}}, b: {model: {dropout: {rate: 0.2}}}}"
    spec = load(f"model: {{dropout: {{kind: gaussian}}}}\n{conditions}")
    assert [bool(logged_kinds(one)) for one in map(flatten, condition_settings(spec).values())] == [0, 1]
    with pytest.raises(SpecError, match=r"\[model\.dropout\.kind\] no effect"):
        load(f"model: {{dropout: {{kind: gaussian}}}}\n{conditions.replace('{rate: 0.2}', '0.2')}")


def test_a_planned_run_with_kinds_can_be_kept_and_read_again(load: Load) -> None:
    (run,) = plan_runs(load("model: {dropout: {dense: {kind: concrete, rate: 0.1}, conv1: 0.2}}"))
    again = PlannedRun.from_json(run.to_json())
    assert again == run
    assert again.params["model.dropout.dense.temperature"] == "0.1"


def test_logged_params_are_split_into_rates_and_kinds(load: Load) -> None:
    params = flatten(condition_settings(load("model: {dropout: {dense: {kind: dropblock, rate: 0.1}}}"))["k"])
    assert logged_rates(params) == {"conv1": "0.0", "conv2": "0.0", "dense": "0.1"}
    assert logged_kinds(params) == {"dense": "dropblock"}


def test_the_fields_of_logged_params_are_those_of_specs() -> None:
    assert set(FIELDS) == set(SiteDropout.model_fields) - {"rate"}
    assert {field for fields in PARAMETERS.values() for field in fields} <= set(FIELDS)


def test_the_input_of_the_published_network_is_a_site_if_it_is_named(load: Load) -> None:
    assert logged(load("model: {dropout: {images: 0.1, conv*: 0.2}}")) == {
        "k": {"images": "0.1", "conv1": "0.2", "conv2": "0.2"}
    }
    plain = flatten(condition_settings(load("model: {dropout: 0.2}"))["k"])
    for dropout in ("{'*': 0.2, images: 0}", "{'*': 0.2, images: {rate: 0}}", "0.2"):
        assert flatten(condition_settings(load(f"model: {{dropout: {dropout}}}"))["k"]) == plain
    text = "model: {dropout: {images: 0.1}}\nconditions: {a: {}, none: {model: {dropout: 0}}}"
    assert logged(load(text)) == {"a": {"images": "0.1"}, "none": {}}
    with pytest.raises(SpecError, match=r"pattern matches no site: 'im\*' \(allowed: conv1, conv2, dense\)"):
        load("model: {dropout: {im*: 0.1}}")


def test_alpha_without_selu_is_noted() -> None:
    def notes(**model: object) -> tuple[str, ...]:
        return ModelSpec.model_validate(model).notes

    alpha = {"kind": "alpha", "rate": 0.1}
    (note,) = notes(dropout={"dense": alpha})
    assert note == (
        "The kind alpha at dense keeps mean and variance only behind SELU activations"
        " (write model.activation: selu)."
    )
    (note,) = notes(network="lenet5", dropout={"dense1": alpha})
    assert "model.activation" not in note
    assert not notes(dropout={"dense": alpha}, activation="selu")
    assert not notes(dropout=0.1)
    assert not notes(network=OWN, dropout=alpha)
