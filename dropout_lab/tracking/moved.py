"""Follow the folder of a SQLite store: MLflow keeps absolute locations, which a move makes wrong."""

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote, urlsplit

_COLUMNS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)
"""Where MLflow keeps locations of artifacts."""


def local_path(address: str) -> Path | None:
    """Return the path that an artifact location names; None if it is not on this machine, or relative."""
    parts = urlsplit(address)
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        return Path(unquote(parts.path))
    path = Path(address)
    return path if path.is_absolute() else None


def is_moved(file: Path, root: Path, mode: str = "mode=rw") -> bool:
    """Return whether locations in the database `file` are wrong, with its artifacts now in `root`."""
    with closing(sqlite3.connect(f"{file.as_uri()}?{mode}", uri=True)) as connection:
        return bool(_moves(connection, root))


def follow_folder(file: Path, root: Path) -> Path | None:
    """Rewrite the locations in the database `file` that a move of its folder made wrong.

    Args:
        file: SQLite database.
        root: Folder in which its artifacts are now.

    Returns:
        The folder in which they were; None if nothing was rewritten.
    """
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=rw", uri=True, timeout=20)) as connection, connection:
        connection.execute("BEGIN IMMEDIATE")
        moves = _moves(connection, root)
        for old, new in moves.items():
            for table, column in _COLUMNS:
                rewritten = f"? || substr({column}, {len(old) + 1})"
                connection.execute(
                    f"UPDATE {table} SET {column} = {rewritten} WHERE substr({column} || '/', 1, ?) = ?",
                    (new, len(old) + 1, f"{old}/"),
                )
    return next((path.parent for path in map(local_path, moves) if path), None)


def _moves(connection: sqlite3.Connection, root: Path) -> dict[str, str]:
    """Return the locations of experiments that are wrong now, each with the right one.

    Artifacts that are only at the old place (the database was copied without them) stay there. MLflow's
    own experiment 0, which dropout_lab does not use, is no reason to rewrite anything.
    """
    moves, is_reason = {}, False
    rows = connection.execute("SELECT experiment_id, artifact_location FROM experiments").fetchall()
    for experiment_id, location in rows:
        folder, _, name = str(location or "").rpartition("/")
        old, new = local_path(f"{folder}/{name}"), root / unquote(name)
        if old is None or old.parent.name != "mlruns" or old == new or _is_same(old.parent, root):
            continue
        if _is_there(new) or not _is_there(old):
            moves[location] = f"{root.as_uri() if location.startswith('file:') else root}/{name}"
            is_reason |= experiment_id != 0
    return moves if is_reason else {}


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _is_there(path: Path) -> bool:
    """Return whether `path` exists, or is in a folder that this user may not read."""
    try:
        return path.exists()
    except OSError:
        return True
