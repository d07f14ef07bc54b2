"""Opens the tracking store, and makes a local one that is not there yet."""

import fcntl
import os
import socket
import sqlite3
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from mlflow import MlflowClient

from dropout_lab.errors import TrackingError
from dropout_lab.tracking.failures import failures_told, unavailable
from dropout_lab.tracking.location import DATABASE_PORTS, Location, locate

PROBE_SECONDS = 4.0


def open_client(*, create: bool) -> tuple[MlflowClient, Location]:
    """Open the tracking store.

    Args:
        create: Whether a local database is created where there is none.

    Raises:
        TrackingError: There is no usable store there; said within seconds.
        TrackingUnavailable: The server does not answer.
    """
    location = locate()
    with failures_told(location):
        if location.file is not None:
            return _open_sqlite(location, location.file, create=create), location
        _probe(location)
        return MlflowClient(location.uri), location


def _open_sqlite(location: Location, file: Path, *, create: bool) -> MlflowClient:
    if not file.exists() and not create:
        raise TrackingError(
            f"There are no runs yet: {file} does not exist.",
            hint="Train some with `dropout-lab run SPEC`, or change to the folder that has them.",
        )
    if create:
        file.parent.mkdir(parents=True, exist_ok=True)
        if not os.access(file.parent, os.W_OK) or (file.exists() and not os.access(file, os.W_OK)):
            raise TrackingError(
                f"Runs cannot be recorded in {file}: no permission to write there.",
                hint="Change to a folder of yours, or set MLFLOW_TRACKING_URI to another store.",
            )
    with _locked(location):  # two processes that migrate a new file at once would break it for good
        if file.exists() and file.stat().st_size:
            # MLflow would try a damaged file for 100 s. Not opened read-only: SQLite first takes back what
            # a killed process has left half-written.
            with closing(sqlite3.connect(f"{file.as_uri()}?mode=rw", uri=True)) as connection:
                connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        else:
            _create_sqlite(location, file)
        return MlflowClient(location.uri)


def _create_sqlite(location: Location, file: Path) -> None:
    """Create the database aside, since MLflow never opens one again whose migrations were cut short."""
    aside = file.with_name(f"{file.name}.part")
    parts = (aside, Path(f"{aside}-journal"))
    try:
        for part in parts:
            part.unlink(missing_ok=True)
        MlflowClient(f"{location.uri.partition('?')[0]}.part")
        aside.replace(file)
    finally:
        for part in parts:
            part.unlink(missing_ok=True)


@contextmanager
def _locked(location: Location) -> Iterator[None]:
    """Hold the lock under which a SQLite file is created and migrated."""
    folder, file = location.artifact_root, location.file
    assert folder is not None
    assert file is not None
    try:
        folder.mkdir(exist_ok=True)
        lock = (folder / f".{file.name}.lock").open("a")
    except PermissionError:  # a folder that cannot be written to cannot change under us either
        yield
        return
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _probe(location: Location) -> None:
    """Raise unless something answers at the address."""
    parts = urlsplit(location.uri)
    if location.kind in ("http", "https"):
        address = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}/health"
        try:
            urllib.request.urlopen(address, timeout=PROBE_SECONDS).close()
        except urllib.error.HTTPError:
            pass  # somebody answers: MLflow's own call tells whether it is the right one
        except OSError as error:
            reason = getattr(error, "reason", error)
            if not isinstance(reason, ssl.SSLError):
                raise unavailable(location, reason) from error
    elif location.kind in DATABASE_PORTS and parts.hostname:
        port = parts.port or DATABASE_PORTS[location.kind]
        try:
            socket.create_connection((parts.hostname, port), timeout=PROBE_SECONDS).close()
        except OSError as error:
            raise unavailable(location, error) from error
