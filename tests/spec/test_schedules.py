"""Schedules in specs: what they mean for each site, how conditions change them, and what is refused."""

from pathlib import Path
from typing import Any

import pytest

from dropout_lab.errors import SpecError
from dropout_lab.spec import Spec, condition_settings, load_spec
from dropout_lab.spec.schedules import Schedule
from dropout_lab.spec.settings import flatten

RATES = {"conv1": 0.2, "conv2": 0.2, "dense": 0.5}


def schedules(
    dropout: Any, changes: Any = None, *, epochs: int = 10, network: str = "published"
) -> dict[str, Any]:
    """Return what is logged below the sites: of the spec, or of a condition that changes its dropout."""
    shared = {"network": network, "dropout": dropout}
    conditions = {} if changes is None else {"conditions": {"a": {"model": {"dropout": changes}}, "b": {}}}
    spec = Spec(name="a", model=shared, training={"epochs": epochs}, **conditions)
    settings = condition_settings(spec)["a"]
    params = flatten(settings)
    assert settings.model_validate(settings.content(mode="json")) == settings
    return {
        key.removeprefix("model.dropout."): value
        for key, value in params.items()
        if ".schedule" in key or key == "model.dropout.dense"
    }


def test_a_word_is_a_schedule_of_all_sites_or_of_one() -> None:
    ramp = {"schedule.start": "0.0", "schedule.end": "1.0"}
    cosine = {"schedule.shape": "cosine", **ramp}
    of_dense = {"dense": "0.5", **{f"dense.{key}": value for key, value in cosine.items()}}
    assert schedules({"dense": {"rate": 0.5, "schedule": "cosine"}}) == of_dense
    of_all = schedules({"rate": 0.5, "schedule": "cosine"})
    assert of_all == of_dense | {f"conv{n}.{key}": value for n in (1, 2) for key, value in cosine.items()}


def test_a_schedule_of_all_sites_keeps_their_rates_and_a_site_s_own_wins() -> None:
    found = schedules(
        {"schedule": "curriculum", "dense": 0.3, "conv1": {"rate": 0.1, "schedule": "constant"}}
    )
    assert found == {"dense": "0.3", "dense.schedule.shape": "curriculum"}


@pytest.mark.parametrize("dropout", [0.5, {"rate": 0.5, "schedule": "constant"}])
def test_a_constant_schedule_is_none(dropout: Any) -> None:
    assert schedules(dropout) == {"dense": "0.5"}


def test_conditions_change_fields_and_another_shape_replaces_them_all() -> None:
    early = {**RATES, "schedule": {"shape": "early", "until": 5}}
    logged = {"dense.schedule.shape": "early", "dense.schedule.unit": "epochs"}
    found = schedules(early, {"schedule": {"until": 3}})
    assert found.items() >= {**logged, "dense.schedule.until": "3", "dense": "0.5"}.items()
    found = schedules(early, {"dense": {"schedule": "curriculum"}})
    assert found["conv1.schedule.shape"] == "early"
    assert {key: value for key, value in found.items() if key.startswith("dense.")} == {
        "dense.schedule.shape": "curriculum"
    }
    assert schedules(early, 0) == {"dense": "0.0"}, "a rate of all sites replaces what they had"


@pytest.mark.parametrize("change", [{"until": 5}, {"until": 5, "end": 0.25}])
def test_a_change_of_one_site_keeps_the_other_fields(change: dict[str, Any]) -> None:
    ramp = {"rate": 0.5, "schedule": {"shape": "linear", "start": 1, "end": 0, "unit": "steps"}}
    of_site = {"dense": {"schedule": change}}
    expected = {"shape": "linear", "start": "1.0", "end": str(float(change.get("end", 0)))}
    for found in (schedules(ramp, of_site), schedules(ramp | of_site)):
        assert found == {
            "dense": "0.5",
            **{f"dense.schedule.{name}": value for name, value in expected.items()},
            "dense.schedule.until": "5",
            "dense.schedule.unit": "steps",
            **{
                f"conv{number}.schedule.{name}": value
                for number in (1, 2)
                for name, value in (expected | {"end": "0.0"}).items()
            },
        }


def test_overrides_and_grids_change_a_field(tmp_path: Path) -> None:
    file = tmp_path / "spec.yaml"
    file.write_text("name: a\nmodel: {dropout: {rate: 0.5, schedule: {shape: early, until: 5}}}\n")
    (settings,) = condition_settings(load_spec(file, ["model.dropout.dense.schedule.until=3"])).values()
    assert flatten(settings)["model.dropout.dense.schedule.until"] == "3"
    assert flatten(settings)["model.dropout.conv1.schedule.until"] == "5"
    file.write_text(file.read_text() + "grid: {model.dropout.schedule.until: [2, 3]}\n")
    found = {name: flatten(one) for name, one in condition_settings(load_spec(file, [])).items()}
    assert {name: one["model.dropout.conv1.schedule.until"] for name, one in found.items()} == {
        "until-2": "2",
        "until-3": "3",
    }


@pytest.mark.parametrize(
    ("dropout", "problem"),
    [
        ("{rate: 0.5, schedule: erly}", "schedule.shape] invalid value: 'erly' (did you mean 'early'?)"),
        ("{rate: 0.5, schedule: early}", "schedule] no until for the shape early"),
        ("{rate: 0.5, schedule: {shape: early, until: 0}}", "schedule.until] invalid value: 0 (allowed: an"),
        ("{rate: 0.5, schedule: {shape: early, until: 10}}", "until] invalid value: 10 (allowed: at most 9"),
        ("{rate: 0.5, schedule: {shape: late, until: 12}}", "until] invalid value: 12 (allowed: at most 9"),
        (
            "{rate: 0.5, schedule: {shape: linear, until: 12}}",
            "until] invalid value: 12 (allowed: at most 10",
        ),
        ("{rate: 0.5, schedule: {shape: early, until: 5, end: 1}}", "end] does not apply to the shape early"),
        ("{rate: 0.5, schedule: {shape: cosine, gamma: 1}}", "gamma] does not apply to the shape cosine"),
        ("{rate: 0.5, schedule: {shape: linear, end: 0}}", "end] start and end are both 0"),
        ("{rate: 0.5, schedule: {shape: linear, start: 2}}", "start] invalid value: 2 (allowed: a number"),
        ("{rate: 0.5, schedule: {until: 5}}", "schedule] no shape for until"),
        ("{schedule: cosine}", "schedule] no rate that could change"),
        ("{kind: concrete, rate: 0.5, schedule: cosine}", "schedule] does not apply to the kind concrete"),
    ],
)
def test_what_is_wrong_is_reported_with_its_place(tmp_path: Path, dropout: str, problem: str) -> None:
    file = tmp_path / "spec.yaml"
    file.write_text(f"name: a\nmodel:\n  dropout: {dropout}\n")
    with pytest.raises(SpecError) as error:
        load_spec(file, [])
    (line,) = str(error.value).splitlines()
    assert line.startswith(f"{file}:3: [model.dropout.")
    assert problem in line
    own = file.read_text().replace("dropout: ", "dropout: {dense: ").replace("\n", "}\n").replace("a}", "a")
    file.write_text(own.replace("model:}", "model:"))
    with pytest.raises(SpecError, match=r"\[model\.dropout\.dense\."):
        load_spec(file, [])


def test_a_cutoff_is_checked_against_the_epochs_of_each_condition(tmp_path: Path) -> None:
    file = tmp_path / "spec.yaml"
    file.write_text(
        "name: a\nmodel: {dropout: {rate: 0.5, schedule: {shape: early, until: 5}}}\n"
        "conditions:\n  long: {}\n  short: {training: {epochs: 4}}\n"
        "  other: {training: {epochs: 4}, model: {dropout: {schedule: {until: 2}}}}\n"
    )
    with pytest.raises(SpecError) as error:
        load_spec(file, [])
    assert str(error.value) == (
        f"{file}:2: [model.dropout.schedule.until] invalid value: 5"
        " (allowed: at most 3, 1 below training.epochs, 4)"
    )


@pytest.mark.parametrize(
    ("shared", "change"),
    [
        ({"*": "early"}, {"dense": 0.2}),
        ({"dense": "early"}, {"dense": 0.2}),
        ({"dense": "early"}, 0.2),
        ({"d*": "early"}, {"*e": 0.2}),
        ({"d*": "early", "*": "early"}, {"dense": 0.2}),
    ],
)
def test_a_bare_rate_of_a_condition_replaces_schedule_and_kind_however_they_are_stated(
    shared: dict[str, str], change: Any
) -> None:
    early = {"rate": 0.5, "kind": "gaussian", "schedule": {"shape": "early", "until": 5}}
    dropout = {pattern: dict(early) for pattern in shared}
    assert schedules(dropout, change).get("dense") == "0.2"
    assert [key for key in schedules(dropout, change) if key.startswith("dense.")] == []
    kept = schedules(dropout, {"dense": {"rate": 0.2}})
    assert kept["dense.schedule.shape"] == "early", "a mapping changes the rate alone"
    beside = schedules(dropout, {"dense": 0.2, "schedule": "curriculum"})
    assert beside["dense.schedule.shape"] == "curriculum", "a schedule beside sites holds for all"


def test_a_schedule_says_what_it_is() -> None:
    assert str(Schedule()) == "constant"
    assert str(Schedule(shape="early", until=5)) == "early until epoch 5"
    ramp = Schedule(shape="linear", start=1, end=0, until=1200, unit="steps")
    assert str(ramp) == "linear from 1 to 0 times the rate until step 1,200"
    assert str(Schedule(shape="curriculum", gamma=0.5)) == "curriculum with gamma 0.5 per epoch"


def test_a_site_of_a_network_of_the_users_changes_one_field_of_a_schedule(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    shared = "rate: 0.5, schedule: {shape: early, until: 5}"
    file.write_text(
        f"name: a\nmodel: {{network: net.py:build, dropout: {{{shared}, top: {{schedule: {{until: 3}}}}}}}}\n"
    )
    assert load_spec(file).model.dropout["top"].schedule.until == 3
    file.write_text("name: a\nmodel: {network: net.py:build, dropout: {top: {schedule: {until: 3}}}}\n")
    with pytest.raises(SpecError, match="no shape for until"):
        load_spec(file)
