"""Runs that an earlier process started: whether the store still has them, and how to give them up."""

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from dropout_lab.records import RunStatus
from dropout_lab.tracking import schema
from dropout_lab.tracking.failures import failures_told
from dropout_lab.tracking.store import open_client


def has_run(run_id: str) -> bool:
    """Return whether the current store has a run that is not deleted.

    Raises:
        TrackingError: If the store cannot be read.
    """
    client, location = open_client(create=False)
    with failures_told(location):
        return find_status(client, run_id) is not None


def is_finished(run_id: str) -> bool:
    """Return whether the current store has a run that is finished, and not deleted.

    Raises:
        TrackingError: If the store cannot be read.
    """
    client, location = open_client(create=False)
    with failures_told(location):
        return find_status(client, run_id) == RunStatus.FINISHED.value


def discard_run(run_id: str) -> bool:
    """Mark a run as KILLED and discarded, unless it is finished. Returns whether the store has the run.

    Raises:
        TrackingError: If the store cannot be read or written.
    """
    client, location = open_client(create=False)
    with failures_told(location):
        status = find_status(client, run_id)
        if status not in (None, RunStatus.FINISHED.value):
            client.set_tag(run_id, schema.DISCARDED, "true")
            client.set_terminated(run_id, RunStatus.KILLED.value)
        return status is not None


def find_status(client: MlflowClient, run_id: str) -> str | None:
    """Return MLflow's status of a run; None if there is no such run, or it is deleted."""
    try:
        info = client.get_run(run_id).info
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return None
        raise
    return str(info.status) if info.lifecycle_stage == "active" else None
