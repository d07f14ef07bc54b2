"""Check that runs can be recorded, without recording anything."""

import tempfile
from pathlib import Path

from mlflow.entities import ViewType
from mlflow.exceptions import MlflowException

from dropout_lab.errors import TrackingError
from dropout_lab.files import hold_lock
from dropout_lab.tracking.failures import failures_told
from dropout_lab.tracking.location import Location, locate
from dropout_lab.tracking.store import open_client


def check_store() -> tuple[Location, bool]:
    """Check the tracking store for what a run does: open it, create an experiment, write beside the database.

    Returns:
        Where it is, and whether it exists; a local database is created by the first run.

    Raises:
        TrackingError: If runs cannot be recorded.
    """
    location = locate()
    if location.file is not None:
        _check_folder(next(parent for parent in location.file.parents if parent.exists()))
        if not location.file.exists():
            return location, False
    client, location = open_client(create=location.file is not None)
    with failures_told(location):
        for taken in client.search_experiments(view_type=ViewType.ALL, max_results=1):
            try:
                # The error tells who may create experiments from who may not.
                client.create_experiment(taken.name)
            except MlflowException as error:
                if error.error_code != "RESOURCE_ALREADY_EXISTS":
                    raise
    return location, True


def _check_folder(folder: Path) -> None:
    """Check that files can be created and locked."""
    try:
        with (
            tempfile.TemporaryDirectory(dir=folder, prefix=".dropout_lab-") as made,
            hold_lock(Path(made, "lock")),
        ):
            pass
    except OSError as error:
        raise TrackingError(
            f"Runs cannot be recorded in {folder}: {error.strerror or error}.",
            hint=f"{folder} has to be writable; or set MLFLOW_TRACKING_URI to another store.",
        ) from None
