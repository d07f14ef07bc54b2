"""Create experiments, with the location of their artifacts."""

import hashlib
import re
from collections.abc import Sequence
from shlex import quote

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from dropout_lab.errors import TrackingError
from dropout_lab.redaction import redact
from dropout_lab.tracking import schema
from dropout_lab.tracking.descriptions import of_experiment
from dropout_lab.tracking.location import Location
from dropout_lab.tracking.views import save_view, view_tags

_LONGEST_ADDRESS = 200 - len(f"/{'0' * 32}/artifacts")
"""Of the artifacts of an experiment: MLflow's column for those of a run, below it, takes 200 characters."""


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


def describe(
    client: MlflowClient, experiment_id: str, text: str = "", verdicts: Sequence[str] | None = None
) -> None:
    """Describe an experiment: by `text` if it has no description, by its view, and by the latest verdicts."""
    tags = client.get_experiment(experiment_id).tags
    before = tags.get(schema.DESCRIPTION, "")
    described = of_experiment({schema.DESCRIPTION: before or text}, experiment_id, verdicts)
    if described != before:
        client.set_experiment_tag(experiment_id, schema.DESCRIPTION, redact(described))


def _artifact_location(location: Location, experiment: str) -> str | None:
    """Return an absolute address, since MLflow resolves relative ones against the folder it is used from."""
    if location.artifact_root is None:
        return None
    folder = re.sub(r"[^A-Za-z0-9_-]+", "-", experiment).strip("-")[:80] or "experiment"
    unique = hashlib.sha256(experiment.encode()).hexdigest()[:12]
    if folder != experiment:
        folder += f"-{unique}"
    address = (location.artifact_root / folder).as_uri()
    if location.file is not None or len(address) <= _LONGEST_ADDRESS:  # SQLite takes any length
        return address
    address = (location.artifact_root / unique).as_uri()
    if len(address) > _LONGEST_ADDRESS:
        raise TrackingError(
            f"The address {address} of artifacts has {len(address)} characters (allowed in {location.shown}: "
            f"{_LONGEST_ADDRESS}).",
            hint="Work in a folder with a shorter path, or use an MLflow server: it keeps the files.",
        )
    return address
