"""SQLite stores in odd places, of other versions of MLflow, moved, and on file systems without writing."""

import errno
import logging
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from mlflow.store.db.utils import _get_alembic_config, create_sqlalchemy_engine
from mlflow.store.tracking.dbmodels.initial_models import Base

from dropout_lab.errors import TrackingError
from dropout_lab.records import RunStatus
from dropout_lab.tracking import connect, find_run, load_test_probs, read_runs
from dropout_lab.tracking.reports import load_text

OLD_SCHEMA = "17e22815139b"
STRANGE_NAMES = ["a%20c", "a #b%20c", "q?u=1&x", "100%", "ünïcödé ✓", 'it\'s "quoted"', "a+b;c@d:e"]


@pytest.fixture
def log(caplog):
    caplog.set_level(logging.WARNING, "dropout_lab")
    return caplog


def write_run(make_start, experiment="study") -> str:
    tracker = connect(experiment)
    run_id = tracker.start_run(make_start())
    tracker.end_run(run_id, RunStatus.FINISHED)
    return run_id


@pytest.mark.parametrize("name", STRANGE_NAMES)
def test_any_folder_name_works_and_no_other_folder_appears(
    tmp_path, empty_store, monkeypatch, name, make_start
):
    folder = tmp_path / name
    folder.mkdir()
    monkeypatch.chdir(folder)
    if name == STRANGE_NAMES[1]:  # created there; the others are copies, since creating takes seconds
        connect("study")
    else:
        shutil.copy(empty_store / "mlflow.db", folder)
    run_id = write_run(make_start)
    (run,) = read_runs("study", histories=["loss"])
    assert run.run_id == run_id
    assert load_text(run, "spec/resolved.yaml") == "condition: dropout\n"
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert sorted(path.name for path in folder.iterdir()) == ["mlflow.db", "mlruns"]


def test_a_moved_folder_is_followed(tmp_path, empty_store, monkeypatch, make_start, log):
    old, new = tmp_path / "old #1", tmp_path / "new %20?"
    old.mkdir()
    shutil.copy(empty_store / "mlflow.db", old)
    monkeypatch.chdir(old)
    run_id = write_run(make_start)
    model = connect("study").client.create_logged_model(connect("study").experiment_id, source_run_id=run_id)
    log.clear()
    old.rename(new)
    monkeypatch.chdir(new)
    assert load_text(find_run(run_id), "spec/resolved.yaml") == "condition: dropout\n"
    (told,) = [record.getMessage() for record in log.records]
    assert str(old) in told
    assert str(new) in told
    later = write_run(make_start)
    client = connect("study").client
    for uri in (
        client.get_run(run_id).info.artifact_uri,
        client.get_run(later).info.artifact_uri,
        client.get_logged_model(model.model_id).artifact_location,
    ):
        assert uri.startswith(f"{(new / 'mlruns').as_uri()}/")
    assert not old.exists()
    assert len(log.records) == 1


def test_a_copied_folder_has_its_own_artifacts_and_the_original_keeps_its(
    tmp_path, empty_store, monkeypatch, make_start
):
    original, copied = tmp_path / "original", tmp_path / "copied"
    original.mkdir()
    shutil.copy(empty_store / "mlflow.db", original)
    monkeypatch.chdir(original)
    run_id = write_run(make_start)
    shutil.copytree(original, copied)
    for folder in (copied, original):
        monkeypatch.chdir(folder)
        shown = connect("study").client.get_run(run_id).info.artifact_uri
        assert shown.startswith((folder / "mlruns").as_uri())


def test_artifacts_that_were_not_moved_with_their_database_stay_found(
    tmp_path, empty_store, monkeypatch, make_start, log
):
    original, other = tmp_path / "original", tmp_path / "other"
    for folder in (original, other):
        folder.mkdir()
    shutil.copy(empty_store / "mlflow.db", original)
    monkeypatch.chdir(original)
    run_id = write_run(make_start)
    log.clear()
    shutil.copy(original / "mlflow.db", other)
    monkeypatch.chdir(other)
    assert load_text(find_run(run_id), "spec/resolved.yaml") == "condition: dropout\n"


def test_a_former_folder_that_nobody_may_look_into_is_left_alone(sqlite_store, monkeypatch, make_start, log):
    write_run(make_start)
    with closing(sqlite3.connect("mlflow.db")) as connection, connection:
        location = "file:///closed/mlruns/study"
        connection.execute("UPDATE experiments SET artifact_location = ? WHERE name = 'study'", [location])
    exists = Path.exists

    def closed(path: Path, **options: bool) -> bool:
        if path.is_relative_to("/closed"):
            raise PermissionError(errno.EACCES, "closed", str(path))
        return exists(path, **options)

    shutil.rmtree("mlruns/study")
    monkeypatch.setattr(Path, "exists", closed)
    assert len(read_runs("study")) == 1
    assert not [text for text in log.messages if "/closed" in text]


def old_database(file: Path) -> None:
    """Create a database as an MLflow of an earlier schema did, with one finished run of ours."""
    engine = create_sqlalchemy_engine(f"sqlite:///{file}")
    Base.metadata.create_all(engine)
    config = _get_alembic_config(f"sqlite:///{file}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, OLD_SCHEMA)
    engine.dispose()
    tags = {"dropout_lab.condition": "dropout", "dropout_lab.seed": "3"}
    with closing(sqlite3.connect(file)) as connection, connection:
        for number, name in enumerate(("Default", "old study")):
            location = (file.parent / "mlruns" / name).as_uri()
            insert(
                connection,
                "experiments",
                experiment_id=number,
                name=name,
                artifact_location=location,
                lifecycle_stage="active",
            )
        insert(
            connection,
            "runs",
            run_uuid="a1" * 16,
            name="dropout-seed3",
            experiment_id=1,
            user_id="someone",
            status="FINISHED",
            lifecycle_stage="active",
            start_time=1,
            source_type="LOCAL",
            artifact_uri=location,
        )
        for key, value in tags.items():
            insert(connection, "tags", key=key, value=value, run_uuid="a1" * 16)


def insert(connection: sqlite3.Connection, table: str, **values: object) -> None:
    places = ", ".join("?" * len(values))
    connection.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({places})", list(values.values()))


def schema_of(file: Path) -> str:
    with closing(sqlite3.connect(file)) as connection:
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])


@pytest.fixture(scope="session")
def old_store(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("old") / "mlflow.db"
    old_database(file)
    return file


def test_a_database_of_an_older_mlflow_is_upgraded_beside_a_backup(tmp_path, old_store, monkeypatch, log):
    monkeypatch.chdir(tmp_path)
    shutil.copy(old_store, tmp_path)
    (run,) = read_runs("old study")
    assert (run.condition, run.seed) == ("dropout", 3)
    (backup,) = tmp_path.glob("mlflow.db.backup-*")
    assert schema_of(backup) == OLD_SCHEMA
    assert schema_of(tmp_path / "mlflow.db") != OLD_SCHEMA
    with closing(sqlite3.connect(backup)) as connection:
        assert connection.execute("SELECT name FROM runs").fetchall() == [("dropout-seed3",)]
    upgrades = [text for text in log.messages if "upgraded" in text]
    assert len(upgrades) == 1
    assert str(backup) in upgrades[0]
    read_runs("old study")
    assert len(list(tmp_path.glob("mlflow.db*"))) == 2


def test_an_earlier_backup_is_kept(tmp_path, old_store, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        shutil.copy(old_store, tmp_path)
        read_runs("old study")
    assert len(list(tmp_path.glob("mlflow.db.backup-*"))) == 2


def test_a_database_of_something_else_is_refused_and_left_as_it_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with closing(sqlite3.connect("mlflow.db")) as connection, connection:
        connection.execute("CREATE TABLE songs (name TEXT)")
    before = Path("mlflow.db").read_bytes()
    for call in (lambda: connect("any"), read_runs):
        with pytest.raises(TrackingError, match="not a database of MLflow"):
            call()
    assert Path("mlflow.db").read_bytes() == before


READ_ONLY = """
set -e
mount --bind "$1" "$1"
mount -o remount,bind,ro "$1"
cd "$1"
! touch x 2> /dev/null
exec "$2" -c "$3"
"""
READ = """
import sys
from dropout_lab.tracking import find_run, read_runs
from dropout_lab.tracking.reports import load_text
(run,) = read_runs(histories=["loss"])
assert find_run(run.run_id).run_id == run.run_id
print(run.run_name, len(run.history.get("loss", ())), *(load_text(run, path) for path in sys.argv[1:]))
"""


def read_on_a_read_only_mount(folder: Path, program: str = READ) -> str:
    arguments = ["unshare", "--mount", "sh", "-c", READ_ONLY, "sh", str(folder), sys.executable, program]
    if (
        shutil.which("unshare") is None
        or subprocess.run(["unshare", "--mount", "true"], check=False).returncode
    ):
        pytest.skip("needs the right to mount")
    result = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return result.stdout.strip()


def test_a_read_only_mount_is_read(sqlite_store, make_start, make_epochs):
    tracker = connect("study")
    tracker.log_epochs(tracker.start_run(make_start()), make_epochs(3))
    before = {path: path.stat().st_mtime_ns for path in sqlite_store.rglob("*")}
    assert read_on_a_read_only_mount(sqlite_store) == "dropout-0 3"
    assert {path: path.stat().st_mtime_ns for path in sqlite_store.rglob("*")} == before


def test_a_read_only_mount_elsewhere_or_of_an_older_mlflow_is_read(
    sqlite_store, tmp_path_factory, make_start, old_store
):
    write_run(make_start)
    moved = tmp_path_factory.mktemp("parent") / "moved"
    shutil.move(sqlite_store, moved)
    sqlite_store.mkdir()
    program = READ.replace("sys.argv[1:]", "['spec/resolved.yaml']")
    assert read_on_a_read_only_mount(moved, program) == "dropout-0 0 condition: dropout"
    assert read_on_a_read_only_mount(old_store.parent) == "dropout-seed3 0"
    assert schema_of(old_store) == OLD_SCHEMA


def test_writing_to_a_read_only_mount_is_refused_in_words(sqlite_store):
    program = (
        "from dropout_lab.errors import TrackingError\n"
        "from dropout_lab.tracking import connect\n"
        "try:\n    connect('x')\nexcept TrackingError as error:\n    print(error.message)\n"
    )
    assert "no permission to write there, or a read-only file system" in read_on_a_read_only_mount(
        sqlite_store, program
    )


def test_a_database_in_write_ahead_mode_is_read_on_a_read_only_mount(sqlite_store, make_start):
    write_run(make_start)
    with closing(sqlite3.connect(sqlite_store / "mlflow.db")) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    for left in ("mlflow.db-wal", "mlflow.db-shm"):
        Path(sqlite_store, left).unlink(missing_ok=True)
    assert read_on_a_read_only_mount(sqlite_store) == "dropout-0 0"


@pytest.mark.usefixtures("sqlite_store")
def test_deleted_artifacts_are_told(make_start):
    run_id = write_run(make_start)
    shutil.rmtree("mlruns/study")
    with pytest.raises(TrackingError, match="no artifact"):
        load_test_probs(find_run(run_id))
