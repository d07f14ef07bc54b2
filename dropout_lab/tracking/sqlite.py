"""Open a SQLite store: create it, upgrade it after a backup, follow its folder; or read it as it is."""

import atexit
import os
import shutil
import sqlite3
import tempfile
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import replace
from pathlib import Path

from mlflow import MlflowClient
from mlflow.version import VERSION
from sqlalchemy.engine import URL, make_url

from dropout_lab.errors import NoStoreError, TrackingError
from dropout_lab.files import hold_lock
from dropout_lab.tracking.addresses import sqlite_uri
from dropout_lab.tracking.location import Location
from dropout_lab.tracking.mlflow_internals import schema_revisions, upgrade_database
from dropout_lab.tracking.moved import follow_folder, is_moved
from dropout_lab.tracking.notes import note_once


def store_lock(file: Path) -> AbstractContextManager[None]:
    """Return the lock of the database `file`, for changes that only one process may make at a time."""
    return hold_lock(file.parent / "mlruns" / f".{file.name}.lock")


def open_sqlite(location: Location, file: Path, *, create: bool) -> Location:
    """Prepare the database `file` and return the location, with the address that MLflow has to open.

    A database that an older MLflow wrote is upgraded after a copy of it was kept. If the folder was moved,
    the artifact locations in the database follow it. A database that cannot be written is read without a
    lock or any write.

    Args:
        location: Tracking store.
        file: Its database.
        create: Whether to create the database if it is missing, and to require that it can be written.

    Raises:
        NoStoreError: If it is missing and not to be created.
        TrackingError: If there is no usable database.
    """
    if not file.exists() and not create:
        raise NoStoreError(
            f"There are no runs yet: {file} does not exist.",
            hint="Train some with `dropout-lab run SPEC`, or change to the folder that has them.",
        )
    if create:
        file.parent.mkdir(parents=True, exist_ok=True)
    is_writable = os.access(file.parent, os.W_OK) and (not file.exists() or os.access(file, os.W_OK))
    if create and not is_writable:
        raise TrackingError(
            f"Runs cannot be recorded in {file}: no permission to write there, or a read-only file system.",
            hint="Change to a folder of yours, or set MLFLOW_TRACKING_URI to another store.",
        )
    root = file.parent / "mlruns"
    if not is_writable:
        return _open_read_only(location, file, root)
    if _is_ready(file, root):
        return location
    root.mkdir(exist_ok=True)
    with store_lock(file):  # two processes that migrate a new file at once would break it
        if not file.exists() or not _tables(file):
            _create(file)
        elif _is_older(file):
            _upgrade_with_backup(file)
        if moved_from := follow_folder(file, root):
            note_once(f"{file} was moved: its artifact locations now start with {root}, not {moved_from}.")
    return location


def _is_ready(file: Path, root: Path) -> bool:
    return file.exists() and bool(_tables(file)) and not _is_older(file) and not is_moved(file, root)


def _tables(file: Path, mode: str = "mode=rw") -> set[str]:
    """Return the names of the tables, as a look that fails at once where MLflow would try for 100 s.

    It may write: SQLite first takes back what a killed process has left half-written.
    """
    if not file.stat().st_size:
        return set()
    with closing(sqlite3.connect(f"{file.as_uri()}?{mode}", uri=True)) as connection:
        rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return {name for (name,) in rows}


def _is_older(file: Path, mode: str = "mode=rw") -> bool:
    """Return whether an older MLflow wrote the database.

    Raises:
        TrackingError: If a newer MLflow wrote it, or anything else.
    """
    revision = ""
    if "alembic_version" in _tables(file, mode):
        with closing(sqlite3.connect(f"{file.as_uri()}?{mode}", uri=True)) as connection:
            revision = next(
                iter(connection.execute("SELECT version_num FROM alembic_version").fetchall()), ("",)
            )[0]
    if not revision:
        raise TrackingError(
            f"{file} is not a database of MLflow, or one whose creation was cut short.",
            hint="Move it away to start a new one, or name another file in MLFLOW_TRACKING_URI.",
        )
    newest, known = schema_revisions()
    if revision in newest:
        return False
    if revision in known:
        return True
    raise TrackingError(
        f"{file} was written by another version of MLflow: its schema {revision} is unknown to {VERSION}.",
        hint="Upgrade MLflow to the version that wrote it, or name another file in MLFLOW_TRACKING_URI.",
    )


def _create(file: Path) -> None:
    """Create the database aside, since MLflow never opens one again whose migrations were cut short."""
    aside = _aside(file)
    try:
        MlflowClient(_plain_uri(aside))
        aside.replace(file)
    finally:
        _remove(aside)


def _upgrade_with_backup(file: Path) -> None:
    backup = _unused(file.with_name(f"{file.name}.backup-before-mlflow-{VERSION}"))
    aside = _aside(file)
    try:
        _copy(file, aside)
        upgrade_database(_plain_uri(aside))
        _copy(file, backup)
        aside.replace(file)
    finally:
        _remove(aside)
    note_once(f"{file} was upgraded to MLflow {VERSION}. An older MLflow can open its backup {backup}.")


def _copy(file: Path, target: Path, mode: str = "mode=rw") -> None:
    """Copy a database with all that is committed, also while another process uses it."""
    with (
        closing(sqlite3.connect(f"{file.as_uri()}?{mode}", uri=True)) as source,
        closing(sqlite3.connect(target)) as copied,
    ):
        source.backup(copied)


def _open_read_only(location: Location, file: Path, root: Path) -> Location:
    mode = "mode=ro"
    try:
        _tables(file, mode)
    except sqlite3.OperationalError:
        mode = "immutable=1"  # a database in write-ahead mode, which SQLite would write beside
        _tables(file, mode)
    if not _is_older(file, mode) and not is_moved(file, root, mode):
        key, value = mode.split("=")
        url = make_url(location.uri).update_query_dict({key: value, "uri": "true"}).set(database="file:")
        return replace(location, uri=sqlite_uri(file, url))
    folder = Path(tempfile.mkdtemp(prefix="dropout_lab-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    copied = folder / file.name
    _copy(file, copied, mode)
    if _is_older(copied):
        upgrade_database(_plain_uri(copied))
    follow_folder(copied, root)
    return replace(location, uri=_plain_uri(copied))


def _plain_uri(file: Path) -> str:
    return sqlite_uri(file, URL.create("sqlite"))


def _aside(file: Path) -> Path:
    aside = file.with_name(f"{file.name}.part")
    _remove(aside)
    return aside


def _remove(aside: Path) -> None:
    for part in (aside, Path(f"{aside}-journal")):
        with suppress(FileNotFoundError):
            part.unlink()


def _unused(path: Path) -> Path:
    number = 1
    while path.exists():
        number += 1
        path = path.with_name(f"{path.name.removesuffix(f'-{number - 1}')}-{number}")
    return path
