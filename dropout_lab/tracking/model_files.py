"""Find the files of a trained model: of a run, of a registered version, or in a folder."""

import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts
from mlflow.exceptions import MlflowException

from dropout_lab.errors import TrackingError, UsageError, did_you_mean
from dropout_lab.records import RunRecord
from dropout_lab.tracking import schema
from dropout_lab.tracking.failures import failures_told
from dropout_lab.tracking.finding import find_run, require_model
from dropout_lab.tracking.location import Location
from dropout_lab.tracking.logged_files import KERAS_FILE
from dropout_lab.tracking.model_code import LOADER
from dropout_lab.tracking.moved import local_path
from dropout_lab.tracking.registry import find_version
from dropout_lab.tracking.store import open_client

DESCRIPTION = "MLmodel"


@dataclass(frozen=True, kw_only=True)
class ModelFiles:
    """The files of a trained model.

    Attributes:
        name: What it is, for people.
        file: Its ``.keras`` file.
        folder: Its MLflow folder; None if there is only the file.
        run: The run that trained it, if the reference names one.
    """

    name: str
    file: Path
    folder: Path | None = None
    run: RunRecord | None = None

    @property
    def input_form(self) -> Mapping[str, Any] | None:
        """The form of its inputs as JSON values, see `data.input_form`; None if it was not logged."""
        if self.folder is None:
            return None
        try:
            content = json.loads((self.folder / schema.INPUT_FORM).read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise TrackingError(f"{self.name}: {schema.INPUT_FORM} cannot be read ({error})") from error
        return dict(content)

    def load(self, load_file: Callable[[Path], Any]) -> Any:
        """Return the Keras model, with the code of the user's that was logged with it.

        Args:
            load_file: Loads a ``.keras`` file that is in no MLflow folder.

        Raises:
            TrackingError: If it cannot be loaded.
        """
        import mlflow.pyfunc

        try:
            if self.folder is None:
                return load_file(self.file)
            for name in [one for one in sys.modules if one.startswith(LOADER)]:
                del sys.modules[name]  # of another download of the model, perhaps in a folder that is gone
            return mlflow.pyfunc.load_model(str(self.folder)).get_raw_model()
        except Exception as error:
            reason = " ".join(str(error).split())[:300]
            raise TrackingError(f"{self.name}: the model cannot be loaded ({reason})") from error


@contextmanager
def open_model(reference: str) -> Iterator[ModelFiles]:
    """Find a model, and download its files if they are not on this machine.

    Args:
        reference: Path of a ``.keras`` file or of a model folder, a registered model (``NAME@ALIAS``,
            ``NAME/VERSION`` or ``models:/...``), or a run as in `find_run`.

    Raises:
        UsageError: If there is no such model.
        TrackingError: If its files are missing or cannot be read.
    """
    path = Path(reference)
    if path.suffix == ".keras" or (path / DESCRIPTION).is_file():
        yield _at_path(path)
        return
    if path.is_file():
        raise UsageError(f"{path}: no model (allowed: a .keras file, or a folder with a file {DESCRIPTION})")
    with tempfile.TemporaryDirectory() as folder:
        yield _in_store(reference, folder)


def _at_path(path: Path) -> ModelFiles:
    if not path.exists():
        near = did_you_mean(path.name, (one.name for one in path.absolute().parent.glob("*.keras")))
        raise UsageError(f"{path}: file not found{near}")
    if path.is_dir():
        return _in_folder(path, str(path), None)
    around = path.absolute().parent.parent
    is_logged = (around / DESCRIPTION).is_file() and (around / KERAS_FILE) == path.absolute()
    return ModelFiles(name=str(path), file=path, folder=around if is_logged else None)


def _in_store(reference: str, folder: str) -> ModelFiles:
    client, location = open_client(create=False)
    with failures_told(location):
        version = find_version(client, reference)
        if version is not None:
            name = f"{version.name} version {version.version}"
            model_id = version.model_id or _model_of(client, version.source)
            run = _run_of(version.run_id)
            source = f"models:/{model_id}" if model_id else f"models:/{version.name}/{version.version}"
        else:
            run = find_run(reference)
            name = f"run {run.run_name} ({run.run_id[:8]})"
            model_id = require_model(client, run)
            source = f"models:/{model_id}"
        found = _local_folder(client, model_id) or Path(_download(location, source, folder))
        return _in_folder(found, name, run)


def _in_folder(folder: Path, name: str, run: RunRecord | None) -> ModelFiles:
    file = folder / KERAS_FILE
    if not file.is_file():
        raise TrackingError(
            f"{name}: {file} does not exist: it is no Keras model, or its files were deleted or moved."
        )
    return ModelFiles(name=name, file=file, folder=folder, run=run)


def _run_of(run_id: str | None) -> RunRecord | None:
    try:
        return find_run(run_id) if run_id else None
    except UsageError:  # a run that was deleted, or not trained by dropout_lab
        return None


def _model_of(client: MlflowClient, source: str) -> str | None:
    """Return the id of the logged model that is the source of a registered version, if it is one."""
    model_id = source.removeprefix("models:/")
    try:
        return str(client.get_logged_model(model_id).model_id) if model_id.startswith("m-") else None
    except MlflowException:
        return None


def _local_folder(client: MlflowClient, model_id: str | None) -> Path | None:
    if model_id is None:
        return None
    return local_path(str(client.get_logged_model(model_id).artifact_location))


def _download(location: Location, source: str, folder: str) -> str:
    return str(download_artifacts(artifact_uri=source, dst_path=folder, tracking_uri=location.uri))
