"""The study of an experiment: the MLflow run that its runs are nested under, with the summary of all.

Its status says nothing: it is FINISHED from the start, so that no interruption leaves it RUNNING.
"""

import math
from collections.abc import Mapping
from contextlib import nullcontext

from mlflow import MlflowClient
from mlflow.entities import Metric, RunTag

from dropout_lab.redaction import redact
from dropout_lab.tracking import liveness, schema
from dropout_lab.tracking.batches import log_metrics
from dropout_lab.tracking.known_runs import find_status
from dropout_lab.tracking.location import Location
from dropout_lab.tracking.sqlite import store_lock

_PAGE = 1000


def find_study(client: MlflowClient, experiment_id: str) -> str | None:
    """Return the ID of the study of an experiment, if it has one."""
    return next(iter(_studies(client, experiment_id)), None)


def open_study(client: MlflowClient, location: Location, experiment_id: str, name: str) -> str:
    """Return the ID of the study of an experiment, and create it if it has none.

    Processes that do so at once agree on one: in a database file by its lock, else the oldest stays.
    """
    if found := find_study(client, experiment_id):
        return found
    with nullcontext() if location.file is None else store_lock(location.file):
        own = find_study(client, experiment_id) or _create_study(client, experiment_id, name)
    oldest, *others = _studies(client, experiment_id)
    if own in others:
        client.delete_run(own)
    return oldest


def _create_study(client: MlflowClient, experiment_id: str, name: str) -> str:
    tags = {
        schema.STUDY: "true",
        schema.SOURCE_NAME: "dropout-lab run",
        schema.SOURCE_TYPE: "LOCAL",
        schema.USER: liveness.user(),
    }
    run_id = str(client.create_run(experiment_id, tags=tags, run_name=name).info.run_id)
    client.set_terminated(run_id, "FINISHED")
    return run_id


def summarize_study(
    client: MlflowClient,
    experiment_id: str,
    *,
    metrics: Mapping[str, float],
    tags: Mapping[str, str],
    summary: str,
) -> None:
    """Nest all runs of an experiment under its study, if it has one, and log the results of all there.

    Verdicts that do not hold any more are deleted, and numbers become NaN, since MLflow deletes none.

    Args:
        client: Open client.
        experiment_id: The experiment.
        metrics: Results by name, such as ``test_accuracy/dropout``.
        tags: Verdicts by tag.
        summary: The comparison as Markdown.
    """
    studies = _studies(client, experiment_id)
    if not studies:
        return
    study_id, *surplus = studies  # of processes that opened it at the same moment
    for other in surplus:
        client.delete_run(other)
    for run_id in _not_nested(client, experiment_id, study_id):
        client.set_tag(run_id, schema.PARENT, study_id)
    logged = client.get_run(study_id).data
    for name in logged.tags:
        if name.startswith(schema.VERDICT) and name not in tags:
            client.delete_tag(study_id, name)
    now = liveness.heartbeat()
    outdated = {name: math.nan for name, value in logged.metrics.items() if not math.isnan(value)}
    values = [Metric(name, value, int(now), 0) for name, value in (outdated | dict(metrics)).items()]
    log_metrics(client, study_id, values)
    described = {**tags, schema.DESCRIPTION: _shortened(summary)}
    client.log_batch(study_id, tags=[RunTag(name, redact(value)) for name, value in described.items()])
    client.log_text(study_id, summary, schema.SUMMARY)


def _studies(client: MlflowClient, experiment_id: str) -> list[str]:
    """Return the IDs of the studies of an experiment, the oldest first."""
    found = client.search_runs([experiment_id], f"tags.`{schema.STUDY}` LIKE '%'")
    in_time = sorted(found, key=lambda run: (run.info.start_time, run.info.run_id))
    return [str(run.info.run_id) for run in in_time]


def _not_nested(client: MlflowClient, experiment_id: str, study_id: str) -> list[str]:
    """Return the runs of an experiment with a condition and without a parent, or with one that is deleted."""
    found: dict[str, str] = {}
    token = None
    while True:
        page = client.search_runs(
            [experiment_id], f"tags.`{schema.CONDITION}` LIKE '%'", max_results=_PAGE, page_token=token
        )
        found |= {str(run.info.run_id): run.data.tags.get(schema.PARENT, "") for run in page}
        token = page.token
        if not token:
            break
    parents = {*found.values()} - {"", study_id}
    alive = {study_id, *(parent for parent in parents if find_status(client, parent) is not None)}
    return [run_id for run_id, parent in found.items() if parent not in alive]


def _shortened(summary: str) -> str:
    """Return whole lines of `summary` that fit in a tag."""
    if len(summary) <= schema.MAX_TAG_LENGTH:
        return summary
    rest = f"\n\nContinued in `{schema.SUMMARY}`."
    return summary[: schema.MAX_TAG_LENGTH - len(rest)].rpartition("\n")[0] + rest
