"""Create experiments, with the location of their artifacts."""

import hashlib
import re
from shlex import quote

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from dropout_lab.errors import TrackingError
from dropout_lab.tracking import schema
from dropout_lab.tracking.location import Location
from dropout_lab.tracking.views import save_view, view_tags


def find_or_create(client: MlflowClient, location: Location, name: str) -> str:
    """Return the id of the experiment called `name`.

    Raises:
        TrackingError: If it was deleted.
    """
    found = client.get_experiment_by_name(name)
    if found is None:
        try:
            return str(
                client.create_experiment(
                    name,
                    artifact_location=_artifact_location(location, name),
                    # Without it, the MLflow UI shows evaluations of language models.
                    tags={schema.EXPERIMENT_KIND: "custom_model_development", **view_tags({})},
                )
            )
        except MlflowException:
            found = client.get_experiment_by_name(name)  # another process was faster
            if found is None:
                raise
    if found.lifecycle_stage != "active":
        raise TrackingError(
            f"The experiment {name!r} was deleted in {location.shown}.",
            hint=f"Restore it with `mlflow experiments restore --experiment-id {found.experiment_id}`, or "
            f"free its name with `dropout-lab delete {quote(name)}`.",
        )
    save_view(client, found)
    return str(found.experiment_id)


def describe(client: MlflowClient, experiment_id: str, text: str) -> None:
    """Make `text` the description of an experiment that has none."""
    if text and not client.get_experiment(experiment_id).tags.get(schema.DESCRIPTION):
        client.set_experiment_tag(experiment_id, schema.DESCRIPTION, text)


def _artifact_location(location: Location, experiment: str) -> str | None:
    """Return an absolute address, since MLflow resolves relative ones against the folder it is used from."""
    if location.artifact_root is None:
        return None
    folder = re.sub(r"[^A-Za-z0-9_-]+", "-", experiment).strip("-")[:80] or "experiment"
    if folder != experiment:
        folder += "-" + hashlib.sha256(experiment.encode()).hexdigest()[:12]
    return (location.artifact_root / folder).as_uri()
