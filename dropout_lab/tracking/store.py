"""Open the tracking store."""

import http.client
import socket
import ssl
import urllib.error
import urllib.request
from urllib.parse import quote, urlsplit

from mlflow import MlflowClient
from sqlalchemy.engine import make_url

from dropout_lab.tracking.addresses import DATABASE_PORTS
from dropout_lab.tracking.failures import failures_told, no_mlflow_server, unavailable
from dropout_lab.tracking.location import Location, locate
from dropout_lab.tracking.mlflow_internals import connect_once
from dropout_lab.tracking.sqlite import open_sqlite

PROBE_SECONDS = 4.0


def open_client(*, create: bool) -> tuple[MlflowClient, Location]:
    """Open the tracking store.

    Args:
        create: Whether the caller writes: a local database is created if it is missing.

    Raises:
        TrackingAddressError: If the address of the store is not one.
        NoStoreError: If a local database is missing, and `create` is false.
        TrackingError: If there is no usable store, within seconds.
        TrackingUnavailable: If the server does not answer.
    """
    location = locate()
    with failures_told(location):
        if location.file is not None:
            location = open_sqlite(location, location.file, create=create)
        else:
            _probe(location)
        return MlflowClient(location.uri), location


def _probe(location: Location) -> None:
    """Raise unless something answers at the address."""
    if location.is_server:
        parts = urlsplit(location.uri)
        path = quote(parts.path.rstrip("/"), safe="/%")
        address = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{path}/health"
        try:
            urllib.request.urlopen(address, timeout=PROBE_SECONDS).close()
        except urllib.error.HTTPError:
            pass  # somebody answers: MLflow's own call tells whether it is the right one
        except OSError as error:
            reason = getattr(error, "reason", error)
            if not isinstance(reason, ssl.SSLError):
                raise unavailable(location, reason) from error
        except http.client.HTTPException as error:
            raise no_mlflow_server(location, error) from error
    elif location.kind in DATABASE_PORTS:
        url = make_url(location.uri)
        if url.host:
            try:
                port = url.port or DATABASE_PORTS[location.kind]
                socket.create_connection((url.host, port), timeout=PROBE_SECONDS).close()
            except OSError as error:
                raise unavailable(location, error) from error
        # The client tries ten times, for 100 s, also with a wrong password or without the driver.
        connect_once(location.uri)
