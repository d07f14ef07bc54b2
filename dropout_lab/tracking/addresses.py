"""Check the address of a tracking store, and say what to write instead of a wrong one."""

import re
from importlib.metadata import entry_points
from pathlib import Path
from typing import NoReturn
from urllib.parse import SplitResult, quote, unquote, urlsplit

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from dropout_lab.errors import TrackingAddressError, did_you_mean
from dropout_lab.redaction import redact

DEFAULT_URI = "sqlite:///mlflow.db"
EXAMPLE_SERVER = "http://127.0.0.1:5000"
DATABASE_PORTS = {"postgresql": 5432, "mysql": 3306, "mssql": 1433}
SCHEMES = ("sqlite", "http", "https", *DATABASE_PORTS)

_HOST_AND_PORT = re.compile(r"(?:\S*@)?(?:\[[\da-fA-F:.]+\]|[A-Za-z][\w.-]*|[\d.]+):\d+(?:/.*)?")
_KNOWN_FORMS = f"Use a SQLite file ({DEFAULT_URI}), a database server or an MLflow server ({EXAMPLE_SERVER})."


def scheme_of(uri: str) -> str:
    """Return the kind of store that `uri` names, such as ``sqlite``, ``http`` or ``postgresql``."""
    return re.match(r"[^:+/?#]*", uri).group().lower() if ":" in uri else ""  # type: ignore[union-attr]


def check_address(uri: str) -> None:
    """Raise unless `uri` can be the address of a tracking store.

    Raises:
        TrackingAddressError: With what to write instead.
    """
    scheme = scheme_of(uri)
    if uri[0] in "'\"" or uri[-1] in "'\"":
        _refuse(uri, "the value contains quotation marks", "Remove them.")
    if _HOST_AND_PORT.fullmatch(uri) and scheme not in SCHEMES:
        _refuse(uri, "http:// is missing", f"Write {_assignment(f'http://{uri}')}.")
    if re.fullmatch(r"(databricks|databricks-uc|uc)(:.*)?", uri):
        _refuse(uri, "Databricks workspaces are not supported", _KNOWN_FORMS)
    if scheme in ("", "file") or re.match(r"[A-Za-z]:[\\/]", uri):
        _refuse_folder(uri)
    if scheme == "postgres":
        _refuse(
            uri,
            "the scheme of PostgreSQL is postgresql://",
            f"Write {_assignment(uri.replace('postgres', 'postgresql', 1))}.",
        )
    if scheme == "sqlite":
        _check_sqlite(uri)
    elif scheme in ("http", "https"):
        _check_server(uri)
    elif scheme in DATABASE_PORTS:
        _check_database(uri)
    elif scheme not in entry_points(group="mlflow.tracking_store").names:
        _refuse(uri, f"unknown scheme {scheme!r}{did_you_mean(scheme, SCHEMES)}", _KNOWN_FORMS)


def sqlite_file(uri: str) -> tuple[Path, URL]:
    """Return the path of the database that a checked SQLite `uri` names, and the parsed address."""
    url = make_url(uri)
    name = str(url.database)
    if str(url.query.get("uri", "")).lower() in ("true", "1", "yes", "on"):
        name = unquote(urlsplit(name).path) if name.startswith("file:") else name
    return Path(name), url


def sqlite_uri(file: Path, url: URL) -> str:
    """Return the address of the SQLite database `file`, an absolute path, with the parameters of `url`.

    Raises:
        TrackingAddressError: If SQLAlchemy cannot open a file of this name.
    """
    is_uri = str(url.database).startswith("file:")
    name = f"file:{quote(str(file))}" if is_uri else str(file)
    plain = f"sqlite:///{name}"
    if not url.query and make_url(plain).database == name:
        return plain
    # With a driver in its scheme, MLflow does not create a folder named after the encoded path.
    address = URL.create("sqlite+pysqlite", database=name, query=url.query)
    text = address.render_as_string(hide_password=False)
    if make_url(text).database != name:
        _refuse(
            text,
            "the installed SQLAlchemy cannot open this path",
            "Rename the folder, or upgrade SQLAlchemy.",
        )
    return text


def _check_sqlite(uri: str) -> None:
    path = uri.partition(":")[2]
    if not path.startswith("///"):
        if not path.strip("/"):
            _refuse_memory(uri)
        corrected = f"sqlite:///{'/' if re.match(r'/[^/]', path) else ''}{path.lstrip('/')}"
        _refuse(uri, "slashes are missing", f"Write {_assignment(corrected)}.")
    file, url = sqlite_file(uri)
    if not url.database or str(file) in ("", ".", ":memory:") or url.query.get("mode") == "memory":
        _refuse_memory(uri)
    if str(file).startswith("~"):
        _refuse(uri, "~ is not expanded in an address", "Write the whole path of the file.")
    if file.is_dir():
        example = f"{uri.rstrip('/')}/mlflow.db"
        _refuse(uri, f"{file} is a folder", f"Name a file in it: {_assignment(example)}.")


def _check_server(uri: str) -> None:
    if not re.match(r"(?i)https?://[^/]", uri):
        rest = uri.partition(":")[2].lstrip("/")
        _refuse(
            uri,
            "the host is missing" if not rest else "slashes are missing",
            f"Write {_assignment(f'{scheme_of(uri)}://{rest}' if rest else EXAMPLE_SERVER)}.",
        )
    parts = _split(uri)
    if not parts.hostname:
        _refuse(uri, "the host is missing", f"Write it as in {_assignment(EXAMPLE_SERVER)}.")
    _check_host(uri, parts.hostname)
    if parts.fragment or parts.query:
        base = uri.partition("#")[0].partition("?")[0]
        _refuse(uri, "an address of a server ends before ? or #", f"Write {_assignment(base)}.")


def _check_database(uri: str) -> None:
    try:
        url = make_url(uri)
    except (ArgumentError, ValueError):
        _refuse(
            uri,
            "not an address of a database, or a port that is not a number",
            f"Write it as in MLFLOW_TRACKING_URI={scheme_of(uri)}://USER:PASSWORD@HOST:PORT/DATABASE, with "
            "%40, %2F and %3A for @, / and : in the password.",
        )
    if url.port is not None and not 0 < url.port < 65536:
        _refuse_port(uri)
    if url.host:
        _check_host(uri, url.host)


def _check_host(uri: str, host: str) -> None:
    """Raise unless a socket takes `host`: no name with spaces, or with an empty or too long part."""
    hint = "Correct the host in MLFLOW_TRACKING_URI."
    if " " in host or not host.isprintable():
        _refuse(uri, "the host contains white space", hint)
    try:
        host.encode("idna")
    except UnicodeError:
        _refuse(uri, "a part of the host is empty, too long or not allowed", hint)


def _split(uri: str) -> SplitResult:
    try:
        parts = urlsplit(uri)
    except ValueError:
        _refuse(
            uri,
            "a square bracket is missing, or does not hold an IPv6 address",
            "Write it as in http://[::1]:5000.",
        )
    try:
        is_port = parts.port is None or parts.port > 0
    except ValueError:
        is_port = False
    if not is_port:
        _refuse_port(uri)
    return parts


def _refuse_port(uri: str) -> NoReturn:
    _refuse(
        uri, "a port has to be a number from 1 to 65535", f"Write it as in {_assignment(EXAMPLE_SERVER)}."
    )


def _refuse_memory(uri: str) -> NoReturn:
    _refuse(uri, "a database in memory, which would lose its runs", f"Name a file, as in {DEFAULT_URI}.")


def _refuse_folder(uri: str) -> NoReturn:
    if re.search(r"\.(db|sqlite3?)$", uri) and scheme_of(uri) == "":
        _refuse(uri, "sqlite:/// is missing", f"Write {_assignment(f'sqlite:///{uri}')}.")
    _refuse(uri, "names a folder, and MLflow no longer keeps runs in folders", _KNOWN_FORMS)


def _assignment(uri: str) -> str:
    return f"MLFLOW_TRACKING_URI={redact(uri)}"


def _refuse(uri: str, problem: str, hint: str) -> NoReturn:
    raise TrackingAddressError(f"MLFLOW_TRACKING_URI={redact(uri)!r}: {problem}", hint=hint)
