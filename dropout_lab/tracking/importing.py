"""Import an exported experiment: each run whole or not at all, and none twice."""

import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from mlflow import MlflowClient
from mlflow.entities import (
    Dataset,
    DatasetInput,
    InputTag,
    LoggedModelOutput,
    Metric,
    Param,
    RunTag,
)

from dropout_lab.errors import UsageError
from dropout_lab.tracking import liveness, schema
from dropout_lab.tracking.archive import ARTIFACTS, MODELS, Archive, read_number
from dropout_lab.tracking.batches import log_metrics, log_params
from dropout_lab.tracking.deleting import delete_run
from dropout_lab.tracking.experiments import describe, find_or_create
from dropout_lab.tracking.failures import failures_told
from dropout_lab.tracking.listing import list_runs
from dropout_lab.tracking.location import Location
from dropout_lab.tracking.model_files import DESCRIPTION
from dropout_lab.tracking.store import open_client

_OF_PROCESS = (schema.PROCESS, schema.LOCK, schema.HEARTBEAT)
Note = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What an import did.

    Attributes:
        experiment: Name of the experiment.
        run_ids: IDs of the imported runs here, by their ID in the folder.
        skipped: IDs in the folder of the runs that exist already.
    """

    experiment: str
    run_ids: Mapping[str, str]
    skipped: tuple[str, ...]


def import_experiment(archive: Archive, name: str | None, note: Note) -> Imported:
    """Import the runs of an exported experiment that do not exist yet.

    A run exists if it was exported from here, imported before, or finished with the same run key.

    Args:
        archive: The checked folder.
        name: Name of the experiment here. [default: the exported one]
        note: Called with a message for each file that could not be deleted.

    Raises:
        UsageError: If another process imports the same run.
        TrackingError: If the store refuses.
    """
    if unlisted := archive.unlisted_files:
        note(f"{len(unlisted)} files in {archive.folder} were not exported, and are left out.")
    client, location = open_client(create=True)
    with failures_told(location):
        experiment = name or archive.name
        experiment_id = find_or_create(client, location, experiment)
        existing = client.get_experiment(experiment_id).tags
        for tag, value in archive.tags.items():
            if tag not in existing:
                client.set_experiment_tag(experiment_id, tag, value)
        describe(client, experiment_id)  # its link is to the view in the other store
        contents = {run_id: archive.read_run(run_id) for run_id in archive.run_ids}
        known = _known(client, location, experiment_id, contents, note)
        imported: dict[str, str] = {}
        for run_id, content in contents.items():
            if run_id not in known:
                parents = known | imported
                content["tags"] = _tags_here(content["tags"], experiment, parents)
                imported[run_id] = _import_run(client, experiment_id, content, archive, run_id)
    return Imported(experiment=experiment, run_ids=imported, skipped=tuple(known))


def _known(
    client: MlflowClient,
    location: Location,
    experiment_id: str,
    contents: Mapping[str, Mapping[str, Any]],
    note: Note,
) -> dict[str, str]:
    """Return the runs that exist here, by their id in the folder; delete what an import left half-done."""
    by_origin, by_key, study = {}, {}, ""
    origins = {content["origin"] for content in contents.values()}
    for run in list_runs(client, experiment_id):
        tags, run_id = run.data.tags, str(run.info.run_id)
        if schema.IMPORTING in tags:
            if run.info.status == "RUNNING" and not liveness.is_gone(tags):
                raise UsageError(f"Another process is importing the run {run.info.run_name}.")
            delete_run(client, location, run, note)
            continue
        origin = tags.get(schema.IMPORTED_FROM, run_id)
        by_origin[origin] = run_id
        study = run_id if schema.STUDY in tags else study
        if origin not in origins and run.info.status == "FINISHED" and tags.get(schema.RUN_KEY):
            by_key[tags[schema.RUN_KEY]] = run_id
    known = {}
    for run_id, content in contents.items():
        key = content["tags"].get(schema.RUN_KEY) if content["status"] == "FINISHED" else None
        found = by_origin.get(content["origin"]) or by_key.get(key)
        if schema.STUDY in content["tags"]:  # an experiment has one
            found = study or found
        if found:
            known[run_id] = found
    return known


def _tags_here(tags: Mapping[str, str], experiment: str, parents: Mapping[str, str]) -> dict[str, str]:
    """Return the tags of a run, with its experiment and its parent here; one that is not here is left out."""
    own = {schema.EXPERIMENT: experiment, schema.PARENT: parents.get(tags.get(schema.PARENT, ""), "")}
    here = {name: own.get(name, value) for name, value in tags.items()}
    return {name: value for name, value in here.items() if value or name not in own}


def _import_run(
    client: MlflowClient, experiment_id: str, content: Mapping[str, Any], archive: Archive, exported_id: str
) -> str:
    """Import one run, and return its id here.

    Until it is whole, it has a tag that marks it and the status RUNNING, with this process as its process.
    """
    own = {name: value for name, value in content["tags"].items() if name not in _OF_PROCESS}
    tags = {**own, **liveness.process_tags(), schema.IMPORTING: content["origin"]}
    run = client.create_run(
        experiment_id, start_time=content["start_time"], tags=tags, run_name=content["name"]
    )
    run_id = str(run.info.run_id)
    log_params(client, run_id, [Param(key, value) for key, value in content["params"].items()])
    metrics = [
        Metric(name, read_number(value), timestamp, step)
        for name, history in content["metrics"].items()
        for value, timestamp, step in history
    ]
    log_metrics(client, run_id, metrics)
    client.log_inputs(run_id, [_dataset(one) for one in content["datasets"]])
    folder = archive.run_folder(exported_id)
    for file in archive.listed_files(folder / ARTIFACTS):
        parent = file.parent.relative_to(folder / ARTIFACTS).as_posix()
        client.log_artifact(run_id, str(file), None if parent == "." else parent)
    for model in content["models"]:
        model_folder = folder / MODELS / model["model_id"]
        files = {file.relative_to(model_folder): file for file in archive.listed_files(model_folder)}
        _import_model(client, experiment_id, run_id, model, files)
    restored = {name: content["tags"][name] for name in _OF_PROCESS if name in content["tags"]}
    restored |= {schema.IMPORTED_FROM: content["origin"]}
    client.log_batch(run_id, tags=[RunTag(name, value) for name, value in restored.items()])
    client.set_terminated(run_id, content["status"], content["end_time"] or content["start_time"])
    for name in {*_OF_PROCESS} - set(restored):
        client.delete_tag(run_id, name)
    client.delete_tag(run_id, schema.IMPORTING)
    return run_id


def _import_model(
    client: MlflowClient,
    experiment_id: str,
    run_id: str,
    content: Mapping[str, Any],
    files: Mapping[Path, Path],
) -> None:
    model = client.create_logged_model(
        experiment_id,
        name=content["name"],
        source_run_id=run_id,
        tags=content["tags"],
        params=content["params"],
        model_type=content["model_type"] or None,
    )
    with tempfile.TemporaryDirectory() as temporary:
        copied = Path(temporary)
        for path, file in files.items():
            (copied / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copied / path)
        _rewrite(copied / DESCRIPTION, model, run_id)
        client.log_model_artifacts(model.model_id, temporary)
    client.finalize_logged_model(model.model_id, "READY")
    metrics = [
        Metric(name, read_number(value), timestamp, step, model_id=model.model_id)
        for name, value, timestamp, step in content["metrics"]
    ]
    log_metrics(client, run_id, metrics)
    if content["output_step"] is not None:
        client.log_outputs(run_id, [LoggedModelOutput(model.model_id, step=content["output_step"])])


def _rewrite(description: Path, model: Any, run_id: str) -> None:
    """Give the description of a model its identity here."""
    if not description.is_file():
        return
    content = yaml.safe_load(description.read_text(encoding="utf-8"))
    content |= {
        "artifact_path": model.artifact_location,
        "model_id": model.model_id,
        "model_uuid": model.model_id,
        "run_id": run_id,
    }
    description.write_text(yaml.safe_dump(content), encoding="utf-8")


def _dataset(content: Mapping[str, Any]) -> DatasetInput:
    fields = {name: value for name, value in content.items() if name != "tags"}
    return DatasetInput(Dataset(**fields), [InputTag(key, value) for key, value in content["tags"].items()])
