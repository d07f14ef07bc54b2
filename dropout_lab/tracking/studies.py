"""The study of an experiment: the MLflow run that its runs are nested under, with the summary of all.

Its status says nothing: it is FINISHED from the start, so that no interruption leaves it RUNNING.
"""

from collections.abc import Collection, Mapping

from mlflow import MlflowClient
from mlflow.entities import Metric, RunTag

from dropout_lab.redaction import redact
from dropout_lab.tracking import liveness, schema
from dropout_lab.tracking.batches import log_metrics

_PAGE = 1000


def find_study(client: MlflowClient, experiment_id: str) -> str | None:
    """Return the ID of the study of an experiment, if it has one."""
    return next(iter(_studies(client, experiment_id)), None)


def open_study(client: MlflowClient, experiment_id: str, name: str) -> str:
    """Return the ID of the study of an experiment, and create it if it has none."""
    if found := find_study(client, experiment_id):
        return found
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
    for run_id in _not_nested(client, experiment_id, surplus):
        client.set_tag(run_id, schema.PARENT, study_id)
    for other in surplus:
        client.delete_run(other)
    now = liveness.heartbeat()
    values = [Metric(name, value, int(now), 0) for name, value in metrics.items()]
    log_metrics(client, study_id, values)
    described = {**tags, schema.DESCRIPTION: _shortened(summary)}
    client.log_batch(study_id, tags=[RunTag(name, redact(value)) for name, value in described.items()])
    client.log_text(study_id, summary, schema.SUMMARY)


def _studies(client: MlflowClient, experiment_id: str) -> list[str]:
    """Return the IDs of the studies of an experiment, the oldest first."""
    found = client.search_runs(
        [experiment_id], f"tags.`{schema.STUDY}` LIKE '%'", order_by=["attributes.start_time ASC"]
    )
    return [str(run.info.run_id) for run in found]


def _not_nested(client: MlflowClient, experiment_id: str, surplus: Collection[str]) -> list[str]:
    """Return the runs of an experiment with a condition and without a parent, or with one in `surplus`."""
    parents = (None, *surplus)
    found: list[str] = []
    token = None
    while True:
        page = client.search_runs(
            [experiment_id], f"tags.`{schema.CONDITION}` LIKE '%'", max_results=_PAGE, page_token=token
        )
        found += [str(run.info.run_id) for run in page if run.data.tags.get(schema.PARENT) in parents]
        token = page.token
        if not token:
            return found


def _shortened(summary: str) -> str:
    """Return whole lines of `summary` that fit in a tag."""
    if len(summary) <= schema.MAX_TAG_LENGTH:
        return summary
    rest = f"\n\nContinued in `{schema.SUMMARY}`."
    return summary[: schema.MAX_TAG_LENGTH - len(rest)].rpartition("\n")[0] + rest
