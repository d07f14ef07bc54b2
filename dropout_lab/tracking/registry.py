"""Registered models: names, versions and aliases by which a trained model is put to use."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from dropout_lab.errors import UsageError, did_you_mean
from dropout_lab.records import RunRecord
from dropout_lab.tracking.failures import failures_told
from dropout_lab.tracking.finding import find_run, require_model
from dropout_lab.tracking.store import open_client

_SCHEME = "models:/"
_VERSIONS_PER_PAGE = 1000
_MISSING = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")


@dataclass(frozen=True, kw_only=True)
class Promotion:
    """A registered version with an alias.

    Attributes:
        name: Name of the registered model.
        version: Version, counted from 1.
        alias: Alias that points to the version.
        run: The run that trained the model.
        is_new: Whether the version was created now.
        previous: Version that had the alias before; None if there was none, or this one.
    """

    name: str
    version: int
    alias: str
    run: RunRecord
    is_new: bool
    previous: int | None

    @property
    def uri(self) -> str:
        """Address of the model for MLflow."""
        return f"{_SCHEME}{self.name}@{self.alias}"


def promote(reference: str, *, name: str, alias: str) -> Promotion:
    """Register the model of a run, and point an alias to it; changes nothing if that is so already.

    Args:
        reference: A run, as in `find_run`.
        name: Name of the registered model, which is created if it does not exist.
        alias: Alias, such as ``champion``.

    Raises:
        UsageError: If there is no such run, it has no model, or a name is invalid.
        TrackingError: If the store refuses.
    """
    _check_names(name, alias)
    run = find_run(reference)
    client, location = open_client(create=True)
    with failures_told(location):
        model_id = require_model(client, run)
        known = _versions(client, name)
        version = next((one for one in known if model_id in (one.model_id, _source_model(one))), None)
        is_new = version is None
        if version is None:
            if not known:
                _create(client, name)
            version = client.create_model_version(
                name, f"{_SCHEME}{model_id}", run_id=run.run_id, model_id=model_id
            )
        before = client.get_registered_model(name).aliases.get(alias)
        if before is None or int(before) != int(version.version):
            client.set_registered_model_alias(name, alias, version.version)
    number, previous = int(version.version), None if before is None else int(before)
    return Promotion(
        name=name,
        version=number,
        alias=alias,
        run=run,
        is_new=is_new,
        previous=None if previous == number else previous,
    )


def find_version(client: MlflowClient, reference: str) -> ModelVersion | None:
    """Return the registered version that `reference` names; None if it is no such name.

    Args:
        client: Open client.
        reference: ``NAME@ALIAS``, or ``models:/NAME@ALIAS`` or ``models:/NAME/VERSION``.

    Raises:
        UsageError: If the model, its alias or its version does not exist.
    """
    text = reference.removeprefix(_SCHEME)
    name, at, alias = text.rpartition("@")
    number = ""
    if not at and reference.startswith(_SCHEME):
        name, _, number = text.rpartition("/")
    if not name:
        return None
    try:
        return (
            client.get_model_version(name, number)
            if number
            else client.get_model_version_by_alias(name, alias)
        )
    except MlflowException as error:
        if error.error_code not in _MISSING:
            raise
    models = {model.name: model.aliases for model in client.search_registered_models()}
    if name not in models:
        raise UsageError(
            f"No registered model is named {name!r}{did_you_mean(name, models)}",
            hint="`dropout-lab promote RUN --name NAME --alias champion` registers one.",
        )
    wanted = f"version {number}" if number else f"alias {alias!r}"
    aliases = ", ".join(f"{name}@{one}" for one in models[name]) or "none"
    raise UsageError(f"The registered model {name} has no {wanted}.", hint=f"Aliases: {aliases}.")


def versions_of(client: MlflowClient, run_ids: Collection[str]) -> list[ModelVersion]:
    """Return the registered versions of the models of runs, each with its aliases."""
    found, token = [], None
    while True:
        page = client.search_model_versions(max_results=_VERSIONS_PER_PAGE, page_token=token)
        found += [version for version in page if version.run_id in run_ids]
        token = page.token
        if not token:
            # A search returns no aliases.
            return [client.get_model_version(one.name, one.version) for one in found]


def _check_names(name: str, alias: str) -> None:
    if not name.strip() or re.search(r"[/:.%\"'@]", name):
        raise UsageError(f"name: {name!r} (allowed: a text without / : . % @ and quotation marks)")
    if not re.fullmatch(r"[\w-]+", alias) or re.fullmatch(r"v\d+|latest", alias, re.IGNORECASE):
        raise UsageError(f"alias: {alias!r} (allowed: letters, digits, _ and -; not v1, v2, ... or latest)")


def _versions(client: MlflowClient, name: str) -> list[ModelVersion]:
    return list(client.search_model_versions(f"name = '{name}'"))


def _source_model(version: ModelVersion) -> str:
    return str(version.source).removeprefix(_SCHEME)


def _create(client: MlflowClient, name: str) -> None:
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
