"""What dropout_lab uses of MLflow beyond its public API, as it has no public way to do this.

The probes of `system_metrics`, which MLflow does not document either, are the only others.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from alembic.script import ScriptDirectory
from mlflow import MlflowClient
from mlflow.store.db.utils import (
    _all_tables_exist,
    _get_alembic_config,
    _upgrade_db,
    create_sqlalchemy_engine,
)
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from mlflow.utils.credentials import get_default_host_creds
from mlflow.utils.rest_utils import http_request_safe
from sqlalchemy import func, select

RUNS_PER_REQUEST = 100
"""Most runs that a server takes in `server_history`."""
VALUES_PER_REQUEST = 25_000
"""Most values that it returns."""
_BULK_ENDPOINT = "/ajax-api/2.0/mlflow/metrics/get-history-bulk"

_LOCK_OF_CREATION = 0x64726F706F7574
"""Key of an advisory lock of PostgreSQL: any number that no other program uses."""

Values = list[tuple[str, int, float]]
"""Run id, step and value."""
ReadHistory = Callable[[Sequence[str], str, int], Values]
"""Takes ids of runs, a metric, and the largest number of values to return."""


def database_history(uri: str, artifact_root: Path) -> ReadHistory:
    """Return what reads the values of a metric in many runs of a database: the method that a server calls."""
    store = SqlAlchemyStore(uri, str(artifact_root))

    def read(run_ids: Sequence[str], metric: str, at_most: int) -> Values:
        found = store.get_metric_history_bulk(run_ids, metric, at_most)
        return [(one.run_id, one.step, one.value) for one in found]

    return read


def server_history(uri: str) -> ReadHistory:
    """Return what reads the values of a metric in many runs of a server: an address of the MLflow UI."""

    def read(run_ids: Sequence[str], metric: str, at_most: int) -> Values:
        parameters = {"run_id": list(run_ids), "metric_key": metric, "max_results": at_most}
        response = http_request_safe(get_default_host_creds(uri), _BULK_ENDPOINT, "GET", params=parameters)
        found = response.json().get("metrics", [])
        return [(one["run_id"], int(one["step"]), float(one["value"])) for one in found]

    return read


class Eraser:
    """Removes entries from a database for good, as ``mlflow gc`` does.

    Args:
        client: Open client of the database.
        uri: Address of the database.
        artifact_root: Folder of its artifacts.
    """

    def __init__(self, client: MlflowClient, uri: str, artifact_root: Path) -> None:
        self._client = client
        self._store = SqlAlchemyStore(uri, str(artifact_root))

    def erase_model(self, model_id: str) -> None:
        """Remove a logged model."""
        self._store._hard_delete_logged_model(model_id)

    def erase_run(self, run_id: str) -> None:
        """Remove a run with its params, metrics and tags."""
        self._store._hard_delete_run(run_id)

    def erase_experiment(self, experiment_id: str) -> None:
        """Remove an experiment without runs, so that its name is free."""
        if self._client.get_experiment(experiment_id).lifecycle_stage == "active":
            self._client.delete_experiment(experiment_id)
        self._store._hard_delete_experiment(experiment_id)


def schema_revisions() -> tuple[set[str], set[str]]:
    """Return the revision of the installed MLflow's database schema, and all that it can upgrade from."""
    scripts = ScriptDirectory.from_config(_get_alembic_config(""))
    return set(scripts.get_heads()), {script.revision for script in scripts.walk_revisions()}


def upgrade_database(uri: str) -> None:
    """Upgrade a database to that revision, as ``mlflow db upgrade`` does, in this process and silently."""
    engine = create_sqlalchemy_engine(uri)
    try:
        _upgrade_db(engine)
    finally:
        engine.dispose()


def connect_once(uri: str) -> None:
    """Connect to a database with MLflow's options; unlike MLflow's client, fail at the first attempt.

    The tables of MLflow are created in an empty PostgreSQL database by one process at a time: MLflow's own
    creation fails if two of its processes, maybe on two machines, do it at once.
    """
    engine = create_sqlalchemy_engine(uri)
    try:
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(select(func.pg_advisory_xact_lock(_LOCK_OF_CREATION)))
                if not _all_tables_exist(engine):
                    MlflowClient(uri)
    finally:
        engine.dispose()
