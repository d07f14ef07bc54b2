"""Where runs are kept, by MLflow's own rules."""

import os
from dataclasses import dataclass
from pathlib import Path

from dropout_lab.errors import TrackingError
from dropout_lab.redaction import redact
from dropout_lab.tracking.addresses import (
    DATABASE_PORTS,
    DEFAULT_URI,
    check_address,
    scheme_of,
    sqlite_file,
    sqlite_uri,
)


@dataclass(frozen=True)
class Location:
    """Address of the tracking store.

    Attributes:
        uri: Address for MLflow. May hold a password, so it is never shown.
        shown: Address for people, without secrets.
        file: SQLite file, absolute; None for any other store.
        is_default: Whether a bare `mlflow ui` in the current folder shows it.
    """

    uri: str
    shown: str
    file: Path | None = None
    is_default: bool = False

    @property
    def kind(self) -> str:
        """Scheme of the store, such as ``sqlite``, ``http`` or ``postgresql``."""
        return scheme_of(self.uri)

    @property
    def is_server(self) -> bool:
        """Whether the store is an MLflow server."""
        return self.kind in ("http", "https")

    @property
    def artifact_root(self) -> Path | None:
        """Folder for artifacts if this process writes them itself, else None."""
        if self.file is not None:
            return self.file.parent / "mlruns"
        return Path("mlruns").absolute() if self.kind in DATABASE_PORTS else None


def locate() -> Location:
    """Return where runs are kept: ``MLFLOW_TRACKING_URI``, else ``mlflow.db`` in the current folder.

    Raises:
        TrackingAddressError: If MLflow cannot keep runs at that address.
        TrackingError: If runs in MLflow's old file format are in the way.
    """
    given = os.environ.get("MLFLOW_TRACKING_URI", "").strip()  # files of variables may end lines with \r
    if not given:
        _refuse_old_format()
    uri = given or DEFAULT_URI
    check_address(uri)
    if scheme_of(uri) != "sqlite":
        return Location(uri, redact(uri))
    path, url = sqlite_file(uri)
    try:
        file, default = path.absolute(), Path("mlflow.db").absolute()
    except FileNotFoundError:
        raise TrackingError(
            "The current folder no longer exists.", hint="Change to another folder."
        ) from None
    # An absolute address, since MLflow caches its connections by it.
    return Location(sqlite_uri(file, url), str(file), file, is_default=file == default)


def _refuse_old_format() -> None:
    for old_run in sorted(Path("mlruns").glob("[0-9]*/meta.yaml")):
        raise TrackingError(
            f"The folder {old_run.parts[0]} holds runs in MLflow's old file format ({old_run}), which "
            "MLflow no longer writes and which hides mlflow.db from the MLflow UI.",
            hint="Convert them with `mlflow migrate-filestore`, move the folder away, or set "
            "MLFLOW_TRACKING_URI=sqlite:///mlflow.db.",
        )
