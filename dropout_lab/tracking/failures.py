"""What MLflow and the stores below it raise, in words that say what to do next."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from mlflow.exceptions import MlflowException, RestException
from requests.exceptions import ConnectionError as RequestConnectionError
from requests.exceptions import RequestException, RetryError, Timeout
from sqlalchemy.exc import SQLAlchemyError

from dropout_lab.errors import TrackingError, TrackingUnavailable
from dropout_lab.redaction import redact
from dropout_lab.tracking.location import Location


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
        return unavailable(location, "no answer, or one that says to try later")
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


def unavailable(location: Location, reason: object) -> TrackingUnavailable:
    """Return the error for a server that does not answer, for `reason`."""
    return TrackingUnavailable(
        f"The tracking server {location.shown} does not answer ({redact(str(reason))}).",
        hint="Start it, correct MLFLOW_TRACKING_URI, or unset that to keep runs in ./mlflow.db.",
    )
