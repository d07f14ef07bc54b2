"""The spec files that ship, and the JSON schema that they name for editors."""

import json
import re
from pathlib import Path

import pytest

from dropout_lab.spec import condition_settings, json_schema, load_spec

REPOSITORY = Path(__file__).parents[2]
EXPERIMENTS = sorted((REPOSITORY / "experiments").glob("*.yaml"))
ALL = sorted([*(REPOSITORY / "experiments").rglob("*.yaml"), *(REPOSITORY / "benchmarks").glob("*.yaml")])
PUBLISHED = {"conv1": 0.2, "conv2": 0.2, "dense": 0.5}
WITHOUT = {"conv1": 0, "conv2": 0, "dense": 0}


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_each_file_opens_with_what_a_reader_wants_to_know(path):
    header = path.read_text(encoding="utf-8").partition("\nname:")[0]
    assert header.startswith("# yaml-language-server: $schema=")
    schema = path.parent / header.splitlines()[0].partition("=")[2]
    assert json.loads(schema.read_text(encoding="utf-8"))["title"] == "dropout_lab spec"
    for title in ("What", "Source", "Expected", "Time", "Command"):
        assert re.search(rf"^# {title}: +\S", header, re.MULTILINE)
    assert f"dropout-lab run experiments/{path.name}" in header
    assert load_spec(path).description


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_each_file_can_be_run_by_the_command_that_it_names(path):
    text = path.read_text(encoding="utf-8")
    assert load_spec(path).name == path.stem
    assert f"dropout-lab run {path.relative_to(REPOSITORY)}" in text


def test_the_schema_file_is_current(repository):
    schema = json.loads((repository / "docs" / "spec.schema.json").read_text(encoding="utf-8"))
    assert schema == json_schema(), "run: dropout-lab schema > docs/spec.schema.json"


@pytest.mark.parametrize("name, rates", [("baseline", WITHOUT), ("dropout", PUBLISHED)])
def test_single_conditions_follow_the_published_protocol(repository, name, rates):
    spec = load_spec(repository / "experiments" / f"{name}.yaml")
    assert spec.experiment == "dropout_lab"
    ((condition, settings),) = condition_settings(spec).items()
    assert condition == name
    assert settings.model.dropout == rates
    assert (settings.training.epochs, settings.training.batch_size) == (10, 200)
    assert (settings.training.optimizer, settings.training.learning_rate) == ("adam", 0.001)
    assert settings.data.validation == "test"
    assert settings.data.num_train is settings.data.num_test is None


@pytest.mark.parametrize("name", ["study", "smoke"])
def test_comparisons_hold_the_conditions_of_the_single_files(repository, name):
    conditions = condition_settings(load_spec(repository / "experiments" / f"{name}.yaml"))
    assert {name: settings.model.dropout for name, settings in conditions.items()} == {
        "baseline": WITHOUT,
        "dropout": PUBLISHED,
    }


def test_the_study_differs_from_the_single_files_in_nothing_but_its_seeds(repository):
    study = condition_settings(load_spec(repository / "experiments" / "study.yaml"))
    for name, settings in study.items():
        assert condition_settings(load_spec(repository / "experiments" / f"{name}.yaml"))[name] == settings


def test_the_smoke_spec_runs_on_the_small_dataset_of_the_tests(repository):
    data = load_spec(repository / "experiments" / "smoke.yaml").data
    assert (data.num_train, data.num_test) == (1000, 500)
