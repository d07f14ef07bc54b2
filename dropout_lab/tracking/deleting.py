"""Delete runs and experiments for good: MLflow itself only marks them, and their names stay taken."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from dropout_lab.errors import DropoutLabError, UsageError, did_you_mean
from dropout_lab.tracking import liveness
from dropout_lab.tracking.failures import failures_told
from dropout_lab.tracking.finding import find_run
from dropout_lab.tracking.listing import list_models, list_runs
from dropout_lab.tracking.location import Location
from dropout_lab.tracking.mlflow_internals import Eraser
from dropout_lab.tracking.moved import local_path
from dropout_lab.tracking.reader import all_experiments
from dropout_lab.tracking.registry import versions_of
from dropout_lab.tracking.store import open_client

_DEFAULT_ID = "0"
"""Experiment that MLflow creates, and needs."""

Note = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Doomed:
    """What a deletion deletes.

    Attributes:
        experiments: Names of whole experiments, by id.
        runs: MLflow's runs, those of the experiments included.
        models: MLflow's logged models.
        versions: Registered versions of these models.
        changed_experiments: Names of the experiments of other runs, which stay.
        is_permanent: Whether the store can remove their entries; an MLflow server only marks them.
    """

    experiments: dict[str, str]
    runs: tuple[Any, ...]
    models: tuple[Any, ...]
    versions: tuple[ModelVersion, ...]
    changed_experiments: tuple[str, ...]
    is_permanent: bool

    @property
    def run_ids(self) -> frozenset[str]:
        """IDs of the runs."""
        return frozenset(str(run.info.run_id) for run in self.runs)


def choose_doomed(references: Sequence[str]) -> Doomed:
    """Find what `references` name, and refuse what must stay.

    Args:
        references: Names of experiments, also of those deleted in MLflow, and runs as in `find_run`.

    Raises:
        UsageError: If a reference names nothing, MLflow's own experiment, or a model in use.
        DropoutLabError: If a run is being trained.
        TrackingError: If the store cannot be read.
    """
    client, location = open_client(create=False)
    with failures_told(location):
        experiments: dict[str, str] = {}
        runs: dict[str, Any] = {}
        for reference in references:
            found = client.get_experiment_by_name(reference)
            if found is None:
                run_id = _find_run_id(client, reference)
                runs[run_id] = client.get_run(run_id)
            elif found.experiment_id == _DEFAULT_ID:
                raise UsageError(
                    f"Experiment {reference!r}: MLflow needs it (allowed: its runs)",
                    hint=f"Name the runs: `dropout-lab delete {reference}/RUN`.",
                )
            else:
                experiments[str(found.experiment_id)] = found.name
                runs |= {
                    str(run.info.run_id): run for run in list_runs(client, found.experiment_id, deleted=True)
                }
        _require_ended(runs.values())
        versions = versions_of(client, set(runs))
        _require_unused(versions)
        return Doomed(
            experiments=experiments,
            runs=tuple(runs.values()),
            models=tuple(_models(client, experiments, runs)),
            versions=tuple(versions),
            changed_experiments=tuple(_names_of(client, runs, experiments)),
            is_permanent=not location.is_server,
        )


def _names_of(client: MlflowClient, runs: Mapping[str, Any], others: Mapping[str, str]) -> list[str]:
    """Return the names of the experiments of `runs`, without `others`."""
    ids = {str(run.info.experiment_id) for run in runs.values()} - {*others}
    return [str(client.get_experiment(experiment_id).name) for experiment_id in sorted(ids)]


def delete_doomed(doomed: Doomed, note: Note) -> None:
    """Delete files first and entries last, so that an interrupted deletion can be repeated.

    Args:
        doomed: What `choose_doomed` found.
        note: Called with a message for each artifact that could not be deleted.

    Raises:
        TrackingError: If the store refuses.
    """
    client, location = open_client(create=True)
    with failures_told(location):
        eraser = _eraser(client, location)
        for version in doomed.versions:
            client.delete_model_version(version.name, version.version)
        for model in doomed.models:
            _delete_model(client, eraser, model, note)
        for run in doomed.runs:
            _delete_run(client, eraser, run, note)
        for experiment_id in doomed.experiments:
            folder = local_path(str(client.get_experiment(experiment_id).artifact_location or ""))
            eraser.erase_experiment(experiment_id)
            if folder is not None:
                for empty in (folder / "models", folder):
                    with suppress(OSError):
                        empty.rmdir()


def delete_run(client: MlflowClient, location: Location, run: Any, note: Note) -> None:
    """Delete one run with its artifacts and models, from an open store."""
    eraser = _eraser(client, location)
    for model in list_models(client, run.info.experiment_id, run.info.run_id):
        _delete_model(client, eraser, model, note)
    _delete_run(client, eraser, run, note)


def _find_run_id(client: MlflowClient, reference: str) -> str:
    try:
        return find_run(reference).run_id
    except UsageError as error:
        near = did_you_mean(reference, [one.name for one in all_experiments(client)])
        if not near:
            raise
        raise UsageError(f"No experiment or run is named {reference!r}{near}", hint=error.hint) from None


def _require_ended(runs: Any) -> None:
    for run in runs:
        is_live = run.info.status == "RUNNING" and run.info.lifecycle_stage == "active"
        if is_live and not liveness.is_gone(run.data.tags):
            raise DropoutLabError(
                f"The run {run.info.run_name} ({run.info.run_id[:8]}) is being trained.",
                hint="Wait until it ends, or stop it; then repeat the command.",
            )


def _require_unused(versions: Sequence[ModelVersion]) -> None:
    for version in versions:
        if version.aliases:
            name = f"{version.name}@{version.aliases[0]}"
            raise UsageError(
                f"The run {version.run_id[:8]} is in use as {name} (version {version.version}).",
                hint=f"Point the alias to another run with `dropout-lab promote RUN --name {version.name}"
                f" --alias {version.aliases[0]}`, or remove it in the MLflow UI.",
            )


def _models(client: MlflowClient, experiments: dict[str, str], runs: dict[str, Any]) -> list[Any]:
    found = {
        str(model.model_id): model
        for experiment_id in experiments
        for model in list_models(client, experiment_id)
    }
    for run_id, run in runs.items():
        if str(run.info.experiment_id) not in experiments:
            found |= {str(one.model_id): one for one in list_models(client, run.info.experiment_id, run_id)}
    return list(found.values())


def _delete_model(client: MlflowClient, eraser: "Eraser | _Marker", model: Any, note: Note) -> None:
    _delete_files(client, model.artifact_location, model.model_id, note)
    eraser.erase_model(str(model.model_id))


def _delete_run(client: MlflowClient, eraser: "Eraser | _Marker", run: Any, note: Note) -> None:
    _delete_files(client, run.info.artifact_uri, run.info.run_id, note)
    eraser.erase_run(str(run.info.run_id))


def _delete_files(client: MlflowClient, address: str, owner: str, note: Note) -> None:
    """Delete the artifacts of a run or a model.

    Args:
        client: Open client.
        address: Where they are.
        owner: ID of the run or model, which is part of the address.
        note: Called with a message if they cannot be deleted.
    """
    folder = local_path(address)
    try:
        if folder is None:
            get_artifact_repository(address, tracking_uri=client.tracking_uri).delete_artifacts()
        elif owner in folder.parts:
            root = Path(*folder.parts[: folder.parts.index(owner) + 1])
            if root.exists():
                shutil.rmtree(root)
    except (OSError, MlflowException, NotImplementedError) as error:
        note(f"The files at {address} were not deleted ({error}).")


class _Marker:
    """Deletes over an MLflow server, which only marks entries; the name of an experiment becomes free."""

    def __init__(self, client: MlflowClient) -> None:
        self._client = client

    def erase_model(self, model_id: str) -> None:
        self._client.delete_logged_model(model_id)

    def erase_run(self, run_id: str) -> None:
        if self._client.get_run(run_id).info.lifecycle_stage == "active":
            self._client.delete_run(run_id)

    def erase_experiment(self, experiment_id: str) -> None:
        found = self._client.get_experiment(experiment_id)
        if found.lifecycle_stage != "active":
            self._client.restore_experiment(experiment_id)
        self._client.rename_experiment(experiment_id, f"{found.name} (deleted {experiment_id})")
        self._client.delete_experiment(experiment_id)


def _eraser(client: MlflowClient, location: Location) -> "Eraser | _Marker":
    if location.is_server or location.artifact_root is None:
        return _Marker(client)
    return Eraser(client, location.uri, location.artifact_root)
