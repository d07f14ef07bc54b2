"""Export an experiment to a folder; `archive` describes its format."""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import uuid4

from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts

from dropout_lab.errors import UsageError
from dropout_lab.files import move_durably
from dropout_lab.tracking import liveness, schema
from dropout_lab.tracking.archive import ARTIFACTS, MODELS, RUN, Archive, write_number
from dropout_lab.tracking.failures import failures_told
from dropout_lab.tracking.listing import list_models, list_runs
from dropout_lab.tracking.location import Location
from dropout_lab.tracking.reader import choose_experiment
from dropout_lab.tracking.store import open_client

Note = Callable[[str], None]


def export_experiment(experiment: str, folder: Path, note: Note, own_version: str) -> Archive:
    """Write the runs of an experiment to a new folder: whole, or not at all.

    Runs that are being trained are left out. Interrupted ones are exported as KILLED.

    Args:
        experiment: Name of the experiment.
        folder: The folder, which must not exist.
        note: Called with a message for each run that is left out.
        own_version: Version of dropout_lab.

    Raises:
        UsageError: If there is no such experiment, or the folder exists.
        TrackingError: If the store or a file cannot be read.
    """
    _check_folder(folder)
    client, location = open_client(create=False)
    with failures_told(location):
        chosen = choose_experiment(client, location, experiment)
        aside = folder.with_name(f"{folder.name}.{uuid4().hex[:12]}.part")
        archive = Archive(
            folder=aside,
            name=chosen.name,
            tags=_portable(client.get_experiment(chosen.experiment_id).tags),
            run_ids=tuple(_choose(list(list_runs(client, chosen.experiment_id)), note)),
        )
        try:
            for run_id in archive.run_ids:
                _export_run(client, location, run_id, archive.run_folder(run_id))
            aside.mkdir(exist_ok=True)
            archive.write_manifest({"dropout_lab": own_version, "mlflow": version("mlflow")})
            _check_folder(folder)  # another process may have made it meanwhile
            move_durably(aside, folder)
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise
    return Archive(folder=folder, name=archive.name, tags=archive.tags, run_ids=archive.run_ids)


def _check_folder(folder: Path) -> None:
    if folder.exists():
        raise UsageError(f"--to: {folder} exists already", hint="Name a new folder, or delete it first.")
    if not folder.absolute().parent.is_dir():
        raise UsageError(f"--to: directory {folder.absolute().parent} does not exist")


def _choose(runs: Sequence[Any], note: Note) -> list[str]:
    """Return the ids of the runs to export, parents before their children."""
    ended = {}
    for run in runs:
        if run.info.status == "RUNNING" and not liveness.is_gone(run.data.tags):
            note(f"The run {run.info.run_name} ({run.info.run_id[:8]}) is being trained, and is left out.")
        else:
            ended[str(run.info.run_id)] = str(run.data.tags.get(schema.PARENT, ""))

    def depth(run_id: str) -> int:
        return 1 + depth(ended[run_id]) if ended[run_id] in ended else 0

    return sorted(ended, key=depth)


def _export_run(client: MlflowClient, location: Location, run_id: str, folder: Path) -> None:
    (folder / ARTIFACTS).mkdir(parents=True)
    run = client.get_run(run_id)
    client.download_artifacts(run_id, "", str(folder / ARTIFACTS))
    steps = {output.model_id: output.step for output in (run.outputs and run.outputs.model_outputs) or ()}
    models = []
    for model in list_models(client, run.info.experiment_id, run_id):
        if model.status == "READY":
            models.append(_model(model, steps.get(model.model_id)))
            target = folder / MODELS / model.model_id
            target.mkdir(parents=True)
            source = f"models:/{model.model_id}"
            download_artifacts(artifact_uri=source, dst_path=str(target), tracking_uri=location.uri)
    content = {
        "run_id": run_id,
        "origin": run.data.tags.get(schema.IMPORTED_FROM, run_id),
        "name": run.info.run_name,
        "status": "KILLED" if run.info.status == "RUNNING" else run.info.status,
        "start_time": run.info.start_time,
        "end_time": run.info.end_time,
        "tags": _portable(run.data.tags),
        "params": dict(run.data.params),
        "metrics": {name: _history(client, run_id, name) for name in sorted(run.data.metrics)},
        "datasets": [_dataset(one) for one in (run.inputs and run.inputs.dataset_inputs) or ()],
        "models": models,
    }
    (folder / RUN).write_text(json.dumps(content, indent=1, allow_nan=False), encoding="utf-8")


def _portable(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the tags that mean the same elsewhere."""
    local = (schema.LOCK, schema.IMPORTED_FROM, schema.IMPORTING)
    return {name: value for name, value in tags.items() if name not in local}


def _history(client: MlflowClient, run_id: str, name: str) -> list[list[Any]]:
    """Return all values of a metric, each with its time in milliseconds and its step."""
    found = client.get_metric_history(run_id, name)
    return [[write_number(one.value), one.timestamp, one.step] for one in found]


def _dataset(given: Any) -> dict[str, Any]:
    return {**dict(given.dataset), "tags": {tag.key: tag.value for tag in given.tags}}


def _model(model: Any, step: int | None) -> dict[str, Any]:
    return {
        "model_id": model.model_id,
        "name": model.name,
        "model_type": model.model_type or "",
        "tags": dict(model.tags or {}),
        "params": dict(model.params or {}),
        "metrics": [
            [one.key, write_number(one.value), one.timestamp, one.step] for one in model.metrics or ()
        ],
        "output_step": step,
    }
