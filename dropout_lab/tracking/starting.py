"""Start a run: log what is known before its first step, once however often the call is repeated."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Param

from dropout_lab.records import RunStart
from dropout_lab.redaction import redact
from dropout_lab.tracking import liveness, schema
from dropout_lab.tracking.batches import log_params
from dropout_lab.tracking.dataset_inputs import dataset_inputs


def start_run(
    client: MlflowClient, experiment_id: str, start: RunStart, start_id: str, places: Mapping[str, str]
) -> str:
    """Return the ID of the run that was created under `start_id`, now or by an earlier call, and complete it.

    Args:
        client: Open client.
        experiment_id: Its experiment.
        start: Params, tags, data and texts of the run.
        start_id: Name of this start.
        places: Tags that say where it belongs: the name of its experiment, and its study.
    """
    run_id = _find_started(client, experiment_id, start_id) or create_run(
        client, experiment_id, start, start_id, places
    )
    values = {**schema.identity(start.condition, start.seed), **start.spec}
    params = [Param(name, redact(value)) for name, value in values.items()]
    log_params(client, run_id, params)
    client.log_inputs(run_id, dataset_inputs(start.data))
    with tempfile.TemporaryDirectory() as folder:
        for path, text in start.texts.items():
            file = Path(folder, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        client.log_artifacts(run_id, folder)
    return run_id


def _find_started(client: MlflowClient, experiment_id: str, start_id: str) -> str | None:
    found = client.search_runs([experiment_id], f"tags.`{schema.START_ID}` = '{start_id}'", max_results=1)
    return str(found[0].info.run_id) if found else None


def create_run(
    client: MlflowClient, experiment_id: str, start: RunStart, start_id: str, places: Mapping[str, str]
) -> str:
    """Return the ID of a new run, with its tags alone; see `start_run`."""
    tags = {
        **start.tags,
        **liveness.process_tags(),
        **schema.identity(start.condition, start.seed),
        **places,
        schema.DESCRIPTION: start.description,
        schema.USER: liveness.user(),
        schema.SOURCE_NAME: "dropout-lab run",
        schema.SOURCE_TYPE: "LOCAL",
        schema.START_ID: start_id,
    }
    tags = {name: redact(value) for name, value in tags.items()}
    run = client.create_run(experiment_id, tags=tags, run_name=start.run_name)
    return str(run.info.run_id)
