"""Names in MLflow of what is logged of a run; `evaluation.registry` has the metrics.

Each field of `RunFacts` is logged as the tag ``dropout_lab.FIELD``, unless it is listed in `_OTHER_TAGS`. The
tags in `_DETAILS` share one, since MLflow shows all tags of a run at once.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import cache
from typing import Any

from dropout_lab.records import Design, RunFacts

PREFIX = "dropout_lab."
VERSIONS = "versions."
OWN_VERSION = "dropout_lab.version"

CONDITION = "dropout_lab.condition"
SEED = "dropout_lab.seed"
IDENTITY = (CONDITION, SEED)
RUN_KEY = "dropout_lab.run_key"
START_ID = "dropout_lab.start_id"
EXPERIMENT = "dropout_lab.experiment"
"""Name of the experiment when the run was started; MLflow can rename experiments."""
PROCESS = "dropout_lab.process"
LOCK = "dropout_lab.lock"
"""Lock file that the process holds as long as it lives."""
HEARTBEAT = "dropout_lab.heartbeat"
DETAILS = "dropout_lab.details"
"""Facts that comparisons check, as JSON."""
REQUESTED = "dropout_lab.requested"
"""When a command last asked for a finished run: runs of the current spec have the latest."""
FAILURE = "dropout_lab.failure"
"""Why training failed."""
DISCARDED = "dropout_lab.discarded"
EVALUATED = "dropout_lab.evaluated"
"""Parts of an evaluation that a run has, with their settings, as JSON."""
IMPORTED_FROM = "dropout_lab.imported_from"
"""ID of the run that an imported run is a copy of."""
IMPORTING = "dropout_lab.importing"
"""Marks a run whose import is not complete."""
COMPARISON = "dropout_lab.comparison"
"""Marks a run that holds the report of a comparison."""
STUDY = "dropout_lab.study"
"""Marks the run that the runs of an experiment are nested under."""
VERDICT = "dropout_lab.verdict."
"""Beginning of the tags of a study with the verdict on each condition."""
NO_RUNS = (COMPARISON, STUDY, IMPORTING)
"""Marks of what is a run in MLflow, and trains nothing or is not complete."""
PARENT = "mlflow.parentRunId"

DESCRIPTION = "mlflow.note.content"
USER = "mlflow.user"
SOURCE_NAME = "mlflow.source.name"
SOURCE_TYPE = "mlflow.source.type"
EXPERIMENT_KIND = "mlflow.experimentKind"
VIEW_KEY = "dropout_lab"
VIEW_NAME = "Results by condition"
SAVED_VIEW = f"mlflow.sharedViewState.{VIEW_KEY}"

GIVEN_SPEC = "spec/given.yaml"
RESOLVED_SPEC = "spec/resolved.yaml"
MODEL_SUMMARY = "model_summary.txt"
EVALUATION = "evaluation.json"
TEST_PROBS = "predictions/test_probs.npz"
REPORT = "report.html"
INPUT_FORM = "input_form.json"
"""File in the folder of a model: the form of its inputs, see `data.input_form`."""
SUMMARY = "summary.md"
MODEL_NAME = "model"
"""Name of a run's model in stores of version 0.1."""
_REFUSED_IN_MODEL_NAMES = re.compile("[/:.%\"']")
_REFUSED_IN_NAMES = re.compile(r"[^\w./ -]")


def model_name(condition: str) -> str:
    """Return the name of the model of a run, by which MLflow groups models."""
    return _REFUSED_IN_MODEL_NAMES.sub("_", condition)


def allowed_names(names: Iterable[str]) -> dict[str, str]:
    """Return what names are called in names of metrics and tags; no two are called alike.

    Args:
        names: Names of conditions or sites. Those that MLflow allows stay as they are.
    """
    found = {name: name for name in names}
    for name in found:
        if _REFUSED_IN_NAMES.search(name):
            allowed = _REFUSED_IN_NAMES.sub("_", name)
            while allowed in found.values():
                allowed += "_"
            found[name] = allowed
    return found


def predictions(part: str) -> str:
    """Return the artifact with the results per example of one part of an evaluation."""
    return f"predictions/{part}.npz"


MAX_TAG_LENGTH = 5000
"""Length of a tag that the stores of every version of MLflow take."""


@dataclass(frozen=True)
class _Tag:
    """How a fact is logged. What a user edited into something unreadable is read as its default, None."""

    name: str
    write: Callable[[Any], str] = str
    read: Callable[[str], Any] = str


def milliseconds(time: datetime) -> str:
    """Return a time as MLflow counts it, in milliseconds since 1970."""
    return str(round(time.timestamp() * 1000))


def read_time(text: str) -> datetime | None:
    """Return the time that `milliseconds` wrote."""
    return datetime.fromtimestamp(int(text) / 1000, UTC) if text.isdecimal() else None


@cache
def _read_design(text: str) -> Design | None:
    try:
        return Design.from_json(text)
    except ValueError:
        return None


def _write_class_names(names: tuple[str, ...]) -> str:
    text = json.dumps(names, ensure_ascii=False)
    return text if len(text) <= MAX_TAG_LENGTH else "[]"


@cache
def _read_class_names(text: str) -> tuple[str, ...]:
    try:
        names = json.loads(text)
    except ValueError:
        return ()
    return tuple(map(str, names)) if isinstance(names, list) else ()


_OTHER_TAGS = {
    "class_names": _Tag("dropout_lab.class_names", _write_class_names, _read_class_names),
    "git_commit": _Tag("mlflow.source.git.commit"),
    "git_dirty": _Tag(
        "dropout_lab.git_dirty",
        write=lambda is_dirty: str(is_dirty).lower(),
        # Version 0.1 logged "unknown", too.
        read=lambda text: {"true": True, "false": False}.get(text.lower()),
    ),
    "design": _Tag("dropout_lab.design", Design.to_json, _read_design),
    "requested": _Tag(REQUESTED, milliseconds, read_time),
    "user": _Tag(USER),
}
_TAGS = {
    field.name: _OTHER_TAGS.get(field.name, _Tag(f"{PREFIX}{field.name}"))
    for field in fields(RunFacts)
    if field.name != "versions"
}


_DETAILS = {
    _TAGS[field].name
    for field in (
        "data_digest",
        "claims_fingerprint",
        "num_threads",
        "precision",
        "instruction_set",
        "onednn",
        "arithmetic",
        "code",
    )
}
"""Tags that nobody searches for, besides those of versions. Version 0.1 logged each by itself."""


def identity(condition: str, seed: int) -> dict[str, str]:
    """Return what is logged as tags, by which runs are searched, and as params, which nobody can change."""
    return {CONDITION: condition, SEED: str(seed)}


def fact_tags(facts: RunFacts) -> dict[str, str]:
    """Return the tags of the facts that are known."""
    found = {_version_tag(package): version for package, version in facts.versions.items()}
    for field, tag in _TAGS.items():
        fact = getattr(facts, field)
        if fact not in (None, "", ()):
            found[tag.name] = tag.write(fact)
    details = {name: found.pop(name) for name in list(found) if _is_detail(name)}
    return found | ({DETAILS: json.dumps(details)} if details else {})


def read_facts(tags: Mapping[str, str]) -> dict[str, Any]:
    """Return the facts that `fact_tags` wrote, by field."""
    tags = {**_read_details(tags.get(DETAILS, "")), **tags}
    packages = ("dropout_lab", *(name.removeprefix(VERSIONS) for name in tags if name.startswith(VERSIONS)))
    return {
        **{field: tag.read(tags[tag.name]) for field, tag in _TAGS.items() if tag.name in tags},
        "versions": {package: tags.get(_version_tag(package), "") for package in packages},
    }


def _is_detail(tag: str) -> bool:
    return tag in _DETAILS or tag.startswith(VERSIONS)


def _read_details(text: str) -> dict[str, str]:
    try:
        details = json.loads(text)
    except ValueError:
        return {}
    return {name: str(value) for name, value in details.items()} if isinstance(details, dict) else {}


def _version_tag(package: str) -> str:
    return OWN_VERSION if package == "dropout_lab" else f"{VERSIONS}{package}"
