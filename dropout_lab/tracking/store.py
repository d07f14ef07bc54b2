"""Where runs are kept: finds the tracking store, opens it safely, and words its failures."""

import fcntl
import os
import re
import socket
import sqlite3
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException, RestException
from requests.exceptions import ConnectionError as RequestConnectionError
from requests.exceptions import RequestException, RetryError, Timeout
from sqlalchemy.exc import SQLAlchemyError

from dropout_lab.errors import TrackingError, TrackingUnavailable

DEFAULT_URI = "sqlite:///mlflow.db"
PROBE_SECONDS = 4.0
_DATABASE_PORTS = {"postgresql": 5432, "mysql": 3306, "mssql": 1433}


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
        return Path("mlruns").absolute() if self.kind in _DATABASE_PORTS else None


def redact(text: str) -> str:
    """Return `text` with the ``user:password@`` of every address in it replaced."""
    return re.sub(r"//[^/\s]*@", "//***@", text)


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
            # MLflow would try a damaged file for 100 s.
            with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as connection:
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
                raise _unavailable(location, reason) from error
    elif location.kind in _DATABASE_PORTS and parts.hostname:
        port = parts.port or _DATABASE_PORTS[location.kind]
        try:
            socket.create_connection((parts.hostname, port), timeout=PROBE_SECONDS).close()
        except OSError as error:
            raise _unavailable(location, error) from error


def _unavailable(location: Location, reason: object) -> TrackingUnavailable:
    return TrackingUnavailable(
        f"The tracking server {location.shown} does not answer ({redact(str(reason))}).",
        hint="Start it, correct MLFLOW_TRACKING_URI, or unset that to keep runs in ./mlflow.db.",
    )


@contextmanager
def failures_told(location: Location) -> Iterator[None]:
    """Turn whatever MLflow raises inside into a TrackingError that says what to do next."""
    try:
        yield
    except (MlflowException, SQLAlchemyError, sqlite3.Error, RequestException, OSError) as error:
        raise _worded(error, location) from error


def _worded(error: BaseException, location: Location) -> TrackingError:
    chain = [error]
    while following := chain[-1].__cause__ or chain[-1].__context__:
        chain.append(following)
    if any(isinstance(link, RequestConnectionError | RetryError | Timeout) for link in chain):
        return _unavailable(location, "no answer, or one that says to try later")
    text = redact(" ".join(str(error).split()))
    where = location.shown
    if "database is locked" in text:
        return TrackingUnavailable(
            f"{where} is locked by another process.",
            hint="Wait until it is done; `fuser` names the processes that have the file open.",
        )
    if "malformed" in text or "not a database" in text:
        return TrackingError(
            f"{where} is not an intact SQLite database.",
            hint="Move it away to start a new one, or recover it with `sqlite3 FILE .recover`.",
        )
    if re.search("disk is full|No space left|File too large", text):
        return TrackingError(f"No room left on the disk of {where}.", hint="Make room, then run it again.")
    if "disk I/O error" in text:
        return TrackingError(
            f"The disk of {where} refused a read or a write.",
            hint="See whether it has room and is in order, then run it again.",
        )
    if "readonly" in text or "unable to open" in text or isinstance(error, PermissionError):
        return TrackingError(
            f"{where} cannot be written: {text[:300]}",
            hint="Check the permissions of the file and of its folder.",
        )
    if "out-of-date database schema" in text or "Can't locate revision" in text:
        return TrackingError(
            f"{where} was written by another version of MLflow.",
            hint="Copy the file as a backup, then run `mlflow db upgrade` on it; or install the version of "
            "MLflow that wrote it.",
        )
    if isinstance(error, RestException) and error.error_code in ("UNAUTHENTICATED", "PERMISSION_DENIED"):
        return TrackingError(
            f"The tracking server {where} refuses access.",
            hint="Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN.",
        )
    if location.kind in ("http", "https") and not isinstance(error, RestException):
        return TrackingError(
            f"{where} answers, but not as an MLflow tracking server does: {text[:300]}",
            hint="Check host, port and path in MLFLOW_TRACKING_URI.",
        )
    return TrackingError(f"The tracking store {where} reports: {text[:500]}")
