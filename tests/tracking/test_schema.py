"""Facts of a run and their tags in MLflow."""

import json
from dataclasses import fields
from datetime import UTC, datetime

import pytest

from dropout_lab.records import Design, RunFacts
from dropout_lab.tracking import schema

FACTS = RunFacts(
    **{field.name: f"the {field.name}" for field in fields(RunFacts) if field.type in (str, "str")},
    git_dirty=True,
    design=Design(first=2, most=5),
    requested=datetime(2026, 11, 26, 12, 30, 15, 250_000, tzinfo=UTC),
    class_names=("cat", "dog"),
    versions={"dropout_lab": "0.2.0", "keras": "3.15.1"},
)


def test_every_fact_is_read_as_it_was_written() -> None:
    assert all(getattr(FACTS, field.name) not in (None, "", {}, ()) for field in fields(FACTS))
    tags = schema.fact_tags(FACTS)
    assert RunFacts(**schema.read_facts(tags)) == FACTS
    details = json.loads(tags.pop(schema.DETAILS))
    assert len(tags) + len(details) == len(fields(FACTS)) - 1 + len(FACTS.versions)
    assert details["dropout_lab.code"] == "the code"


def test_details_are_read_where_version_0_1_logged_them() -> None:
    tags = schema.fact_tags(FACTS)
    assert RunFacts(**schema.read_facts(tags | json.loads(tags.pop(schema.DETAILS)))) == FACTS


@pytest.mark.parametrize("text", ["", "[]", "{", "edited by hand"])
def test_details_that_somebody_edited_are_unknown(text: str) -> None:
    facts = RunFacts(**schema.read_facts({**schema.fact_tags(FACTS), schema.DETAILS: text}))
    assert (facts.code, facts.engine) == ("", "the engine")


def test_names_are_those_of_version_0_1() -> None:
    tags = schema.fact_tags(FACTS)
    tags |= json.loads(tags[schema.DETAILS])
    assert tags["dropout_lab.initial_weights"] == "the initial_weights"
    assert tags["mlflow.source.git.commit"] == "the git_commit"
    assert tags["dropout_lab.git_dirty"] == "true"
    assert tags["dropout_lab.requested"] == "1795696215250"
    assert (tags["dropout_lab.version"], tags["versions.keras"]) == ("0.2.0", "3.15.1")
    assert schema.RUN_KEY in tags


def test_what_is_unknown_is_not_logged() -> None:
    assert schema.fact_tags(RunFacts()) == {}
    assert RunFacts(**schema.read_facts({})) == RunFacts(versions={"dropout_lab": ""})


@pytest.mark.parametrize(("text", "is_dirty"), [("true", True), ("False", False), ("unknown", None)])
def test_changes_since_the_commit_may_be_unknown(text: str, is_dirty: bool | None) -> None:
    assert schema.read_facts({"dropout_lab.git_dirty": text})["git_dirty"] is is_dirty


@pytest.mark.parametrize("tag", ["dropout_lab.design", "dropout_lab.requested"])
def test_what_somebody_edited_into_something_else_is_unknown(tag: str) -> None:
    facts = RunFacts(**schema.read_facts({tag: "edited by hand"}))
    assert (facts.design, facts.requested) == (None, None)


@pytest.mark.parametrize(
    ("is_dirty", "shown"),
    [(True, "0123456789ab with uncommitted changes"), (False, "0123456789ab"),
     (None, "0123456789ab, unknown whether with changes")],
)  # fmt: skip
def test_a_commit_is_shown_with_what_is_known_of_changes(is_dirty: bool | None, shown: str) -> None:
    assert RunFacts(git_commit="0123456789abcdef", git_dirty=is_dirty).commit == shown
    assert RunFacts(git_dirty=is_dirty).commit == ""


def test_names_that_mlflow_refuses_are_replaced_and_stay_apart() -> None:
    names = ["a_b", "a+b", "a*b", "a.b c-d", "a_b_"]
    assert schema.allowed_names(names) == {
        "a_b": "a_b",
        "a+b": "a_b__",
        "a*b": "a_b___",
        "a.b c-d": "a.b c-d",
        "a_b_": "a_b_",
    }
