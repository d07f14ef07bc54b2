"""Read what runs logged as files: predictions and models."""

import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dropout_lab.errors import TrackingError
from dropout_lab.records import FloatArray, IntArray, RunRecord
from dropout_lab.redaction import redact
from dropout_lab.tracking import schema
from dropout_lab.tracking.failures import failures_told
from dropout_lab.tracking.listing import find_ready_model
from dropout_lab.tracking.moved import local_path
from dropout_lab.tracking.store import open_client

KERAS_FILE = "data/model.keras"
"""File of the model in the folder that MLflow keeps."""


@dataclass(frozen=True)
class LoggedModel:
    """Model of a run.

    Attributes:
        uri: Its address for MLflow.
        address: Local folder of its files, else their address.
        is_missing: Whether that folder was deleted.
    """

    uri: str
    address: str
    is_missing: bool = False


def load_test_probs(run: RunRecord) -> tuple[FloatArray, IntArray]:
    """Return the class probabilities of the test images by a run's model, and the true labels.

    Returns:
        probs: (num_test, num_classes) float32, rounded to float16 when they were logged.
        labels: (num_test,) int64.

    Raises:
        TrackingError: If the run has none, or they cannot be read.
    """
    arrays = _load_arrays(run, schema.TEST_PROBS, ("probs", "labels"))
    return arrays["probs"].astype(np.float32), arrays["labels"].astype(np.int64)


def load_predictions(run: RunRecord, part: str) -> dict[str, npt.NDArray[Any]]:
    """Return the results per example of one part of an evaluation, by name; numbers in half precision.

    Args:
        run: An evaluated run.
        part: Name of the part, such as ``monte_carlo``; see `runs.evaluation_parts`.

    Raises:
        TrackingError: If the run has none, or they cannot be read.
    """
    return _load_arrays(run, schema.predictions(part))


def _load_arrays(run: RunRecord, path: str, names: tuple[str, ...] = ()) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays in a file of a run; of `names` each is there."""
    client, location = open_client(create=False)
    with failures_told(location), tempfile.TemporaryDirectory() as folder:
        parent = path.rpartition("/")[0]
        if path not in [file.path for file in client.list_artifacts(run.run_id, parent)]:
            raise TrackingError(f"The run {run.run_name} ({run.run_id}) has no artifact {path}.")
        file = client.download_artifacts(run.run_id, path, folder)
        try:
            with np.load(file, allow_pickle=False) as arrays:
                return {name: arrays[name] for name in dict.fromkeys([*names, *arrays])}
        except (ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise TrackingError(f"{path} of the run {run.run_name} is damaged: {error}") from error


def find_model(run: RunRecord) -> LoggedModel | None:
    """Return where the model of a run is; None if the run has not logged one.

    Raises:
        TrackingError: If the store cannot be read.
    """
    client, location = open_client(create=False)
    with failures_told(location):
        model = find_ready_model(client, run)
    if model is None:
        return None
    uri, address = f"runs:/{run.run_id}/{model.name}", str(model.artifact_location)
    folder = local_path(address)
    if folder is None:
        return LoggedModel(uri, redact(address))
    return LoggedModel(uri, str(folder), is_missing=not folder.is_dir())


def fetch_model(run: RunRecord, folder: Path) -> Path:
    """Return the ``.keras`` file of a run's model, downloaded into `folder` unless it is on this machine.

    Raises:
        TrackingError: If the run has not logged its model, or it cannot be read.
    """
    from mlflow.artifacts import download_artifacts

    client, location = open_client(create=False)
    with failures_told(location):
        model = find_ready_model(client, run)
        if model is None:
            raise TrackingError(f"The run {run.run_name} ({run.run_id}) has not logged its model.")
        address = str(model.artifact_location)
        local = local_path(address)
        if local is None:
            uri = f"{address.rstrip('/')}/{KERAS_FILE}"
            return Path(download_artifacts(artifact_uri=uri, dst_path=str(folder)))
    file = local / KERAS_FILE
    if not file.is_file():
        raise TrackingError(f"The model of the run {run.run_name} is missing: {file} was deleted or moved.")
    return file
