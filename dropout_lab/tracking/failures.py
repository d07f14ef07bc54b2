"""Word the failures of MLflow and of the stores below it, by type and status."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from alembic.util.exc import CommandError
from mlflow.exceptions import MlflowException, RestException
from requests.exceptions import (
    ChunkedEncodingError,
    HTTPError,
    ProxyError,
    RequestException,
    RetryError,
    SSLError,
    Timeout,
)
from requests.exceptions import ConnectionError as RequestConnectionError
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    IntegrityError,
    NoSuchModuleError,
    SQLAlchemyError,
)

from dropout_lab.errors import DropoutLabError, TrackingError, TrackingUnavailable
from dropout_lab.redaction import redact
from dropout_lab.tracking.addresses import DATABASE_PORTS
from dropout_lab.tracking.location import Location

_OUR_CALLS = (
    MlflowException,
    SQLAlchemyError,
    sqlite3.Error,
    RequestException,
    OSError,
    ImportError,
    CommandError,
)
_ARTIFACT_LIBRARIES = ("azure", "boto3", "botocore", "google", "paramiko", "pyarrow", "pysftp", "s3transfer")
_SILENT = (RequestConnectionError, RetryError, Timeout, ChunkedEncodingError)
_TRY_LATER = (408, 425, 429, 502, 503, 504)
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NO_ACCESS = (errno.EACCES, errno.EPERM, errno.EROFS)
_MYSQL_ACCESS = (1044, 1045, 1142, 1698)
_CONFLICTS = ("IntegrityError", "UniqueViolation")
"""Names by which a server reports that a row exists already; it says so in the text of status 400."""
_REFUSALS = ("authentication failed", "no password supplied", "no pg_hba.conf entry", "does not exist", "SSL")
"""What PostgreSQL says of an address that is wrong; its driver passes on no code when it connects."""
_SHOWN_CHARACTERS = 500


class TrackingConflict(TrackingUnavailable):
    """Another process wrote the same row between the look and the insertion; the next look will find it."""


@contextmanager
def failures_told(location: Location) -> Iterator[None]:
    """Turn whatever MLflow raises inside into a TrackingError that says what to do next."""
    try:
        yield
    except DropoutLabError:
        raise
    except Exception as error:
        library = type(error).__module__.partition(".")[0]
        if isinstance(error, _OUR_CALLS) or library in _ARTIFACT_LIBRARIES:
            raise _worded(error, location) from error
        raise


def unavailable(location: Location, reason: object) -> TrackingUnavailable:
    """Return the error for a server that does not answer, for `reason`."""
    return TrackingUnavailable(
        f"The tracking server {location.shown} does not answer ({redact(_reason(reason))}).",
        hint="Start it, correct MLFLOW_TRACKING_URI, or unset that to keep runs in ./mlflow.db.",
    )


def no_mlflow_server(location: Location, reason: object) -> TrackingError:
    """Return the error for a server that answers something else, for `reason`."""
    return TrackingError(
        f"{location.shown} answers, but not as an MLflow tracking server does: {_text(reason)[:300]}",
        hint="Check host, port and path in MLFLOW_TRACKING_URI.",
    )


def _worded(error: BaseException, location: Location) -> TrackingError:
    chain = _chain(error)
    if any(isinstance(link, IntegrityError) or _names_conflict(link) for link in chain):
        return TrackingConflict(
            f"Another process wrote to {location.shown} at the same moment.", hint="Repeat the command."
        )
    for word in (_of_connection, _of_system):
        for link in chain:
            worded = word(link, location)
            if worded is not None:
                return worded
    if location.is_server:
        return _of_server(error, chain, location)
    return TrackingError(f"The tracking store {location.shown} reports: {_text(error)}")


def _chain(error: BaseException) -> list[BaseException]:
    chain = [error]
    while following := chain[-1].__cause__ or chain[-1].__context__ or getattr(chain[-1], "orig", None):
        if following in chain:
            break
        chain.append(following)
    return chain


def _names_conflict(error: BaseException) -> bool:
    return isinstance(error, RestException) and any(name in str(error) for name in _CONFLICTS)


def _of_system(error: BaseException, location: Location) -> TrackingError | None:
    """Word what SQLite, the operating system or a missing package reports."""
    if isinstance(error, sqlite3.Error):
        return _of_sqlite(error, location)
    if isinstance(error, ImportError | NoSuchModuleError):
        return TrackingError(
            f"The tracking store {location.shown} needs a package that is not installed: {_text(error)}",
            hint="Install it with pip, or correct the scheme in MLFLOW_TRACKING_URI "
            "(PostgreSQL: dropout_lab[postgres]; MySQL: pymysql; SQL Server: pymssql; S3: boto3).",
        )
    if isinstance(error, CommandError):
        return TrackingError(
            f"{location.shown} was written by another version of MLflow: {_text(error)}",
            hint="Install the version of MLflow that wrote it, or a newer one.",
        )
    if isinstance(error, ArgumentError):
        return TrackingError(f"{location.shown} is not an address of a database: {_text(error)}")
    if isinstance(error, OSError):
        where = redact(str(error.filename or location.shown))
        if error.errno in _NO_ROOM:
            return _no_room(where)
        if error.errno in _NO_ACCESS:
            return _no_access(where, error)
        if error.errno == errno.EIO:
            return _no_disk(where)
    return None


def _of_sqlite(error: sqlite3.Error, location: Location) -> TrackingError | None:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    where = location.shown
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return TrackingUnavailable(
            f"{where} is locked by another process.",
            hint="Wait until that has finished; `fuser` names the processes that have the file open.",
        )
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return TrackingError(
            f"{where} is not an intact SQLite database.",
            hint="Move it away to start a new one, or recover it with `sqlite3 FILE .recover`.",
        )
    if code == sqlite3.SQLITE_FULL:
        return _no_room(where)
    if code == sqlite3.SQLITE_IOERR:
        return _no_disk(where)
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH):
        return _no_access(where, error)
    return None


def _of_connection(error: BaseException, location: Location) -> TrackingError | None:
    """Word what a connection to a server reports."""
    where = location.shown
    if isinstance(error, SSLError):
        return TrackingError(
            f"The certificate of the tracking server {where} was not accepted: {_text(error)}",
            hint="Set MLFLOW_TRACKING_SERVER_CERT_PATH to its certificate, or write http:// if it has none.",
        )
    if isinstance(error, ProxyError):
        return TrackingUnavailable(
            f"The proxy on the way to the tracking server {where} does not answer: {_text(error)}",
            hint="Correct HTTP_PROXY and HTTPS_PROXY, or add the host of the server to NO_PROXY.",
        )
    if isinstance(error, _SILENT):
        return unavailable(location, "no answer, or one that says to try later")
    if isinstance(error, DBAPIError) and location.kind in DATABASE_PORTS:
        original = error.orig
        state = str(getattr(original, "sqlstate", None) or getattr(original, "pgcode", None) or "")
        arguments = getattr(original, "args", ()) or (None,)
        is_refusal = not state and any(words in str(original) for words in _REFUSALS)
        if is_refusal or state.startswith("28") or state == "42501" or arguments[0] in _MYSQL_ACCESS:
            return TrackingError(
                f"The database {where} refuses access: {_text(original)}",
                hint="Correct user, password and name of the database in MLFLOW_TRACKING_URI.",
            )
        if error.connection_invalidated or not state or state[:2] in ("08", "53", "57"):
            return unavailable(location, error)
    return None


def _of_server(error: BaseException, chain: list[BaseException], location: Location) -> TrackingError:
    """Word an answer of a server by its HTTP status."""
    where = location.shown
    status = next((found for found in map(_status, chain) if found), 0)
    if status in (401, 403):
        hint = "Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN."
        if status == 403:
            hint += (
                " Otherwise your account lacks the permission, or the server does not allow this host name."
            )
        return TrackingError(f"The tracking server {where} refuses access (HTTP status {status}).", hint=hint)
    if status in _TRY_LATER:
        return unavailable(location, f"HTTP status {status}")
    if status == 413:
        return TrackingError(
            f"The tracking server {where} refuses a file or a request as too large (HTTP status 413).",
            hint="Raise the limit of the server, or of the proxy before it.",
        )
    if not any(isinstance(link, RestException) for link in chain):
        return no_mlflow_server(location, error)
    return TrackingError(f"The tracking server {where} reports: {_text(error)}")


def _status(error: BaseException) -> int:
    if isinstance(error, HTTPError) and error.response is not None:
        return int(error.response.status_code)
    return int(error.get_http_status_code()) if isinstance(error, MlflowException) else 0


def _no_room(where: str) -> TrackingError:
    return TrackingError(f"No room left on the disk of {where}.", hint="Make room, then repeat the command.")


def _no_disk(where: str) -> TrackingError:
    return TrackingError(f"I/O error on {where}.", hint="Check whether the disk has room and is healthy.")


def _no_access(where: str, error: BaseException) -> TrackingError:
    return TrackingError(
        f"{where} cannot be written: {_reason(error)}",
        hint="Check the permissions of the file and of its folder.",
    )


def _reason(error: object) -> str:
    """Return what `error` says, without depending on the language of the system's messages."""
    name, text = getattr(error, "sqlite_errorname", ""), _text(error)
    if isinstance(error, OSError) and error.errno:
        name, text = errno.errorcode.get(error.errno, ""), _text(error.strerror)
    return f"{text} [{name}]" if name else text


def _text(error: object) -> str:
    return redact(" ".join(str(error).split()))[:_SHOWN_CHARACTERS]
