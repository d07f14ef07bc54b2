"""Where runs are kept, by MLflow's own rules."""

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from dropout_lab.errors import TrackingError
from dropout_lab.redaction import redact

DEFAULT_URI = "sqlite:///mlflow.db"
DATABASE_PORTS = {"postgresql": 5432, "mysql": 3306, "mssql": 1433}


@dataclass(frozen=True)
class Location:
    """Where the tracking store is.

    Attributes:
        uri: For MLflow; may hold a password, so it is never shown.
        shown: The same for people, without user and password.
        file: The SQLite file, absolute; None for any other store.
        is_default: Whether a bare `mlflow ui` in the current folder shows it.
    """

    uri: str
    shown: str
    file: Path | None = None
    is_default: bool = False

    @property
    def kind(self) -> str:
        """The store's scheme, such as ``sqlite``, ``http`` or ``postgresql``."""
        return urlsplit(self.uri).scheme.split("+")[0]

    @property
    def artifact_root(self) -> Path | None:
        """The folder for artifacts where this process writes them itself, else None."""
        if self.file is not None:
            return self.file.parent / "mlruns"
        return Path("mlruns").absolute() if self.kind in DATABASE_PORTS else None


def locate() -> Location:
    """Return where runs are kept: ``MLFLOW_TRACKING_URI``, else ``mlflow.db`` in the current folder.

    Raises:
        TrackingError: The address is not one that MLflow can keep runs at.
    """
    given = os.environ.get("MLFLOW_TRACKING_URI", "")
    uri = given or DEFAULT_URI
    scheme = urlsplit(uri).scheme.split("+")[0]
    if not given:
        for old_run in sorted(Path("mlruns").glob("[0-9]*/meta.yaml")):
            raise TrackingError(
                f"The folder {old_run.parts[0]} holds runs in MLflow's old file format ({old_run}), which "
                "MLflow no longer writes and which hides mlflow.db from its web page.",
                hint="Convert them with `mlflow migrate-filestore`, move the folder away, or set "
                "MLFLOW_TRACKING_URI=sqlite:///mlflow.db.",
            )
    if scheme in ("", "file"):
        raise TrackingError(
            f"MLFLOW_TRACKING_URI={redact(uri)!r} names a folder; MLflow no longer keeps runs in folders.",
            hint=f"Set it to a database such as {DEFAULT_URI}, or to a server such as http://127.0.0.1:5000.",
        )
    if scheme == "sqlite":
        path = uri.partition(":///")[2].partition("?")[0]
        if not path or path == ":memory:":
            raise TrackingError(
                f"MLFLOW_TRACKING_URI={uri!r} is a database in memory: its runs would be lost.",
                hint=f"Name a file, as in {DEFAULT_URI}.",
            )
        file = Path(path).absolute()
        # An absolute address, since MLflow caches its connections by it; a "?" would end the path.
        absolute = uri if "?" in str(file) else f"sqlite:///{file}"
        return Location(absolute, str(file), file, is_default=file == Path("mlflow.db").absolute())
    return Location(uri, redact(uri))
