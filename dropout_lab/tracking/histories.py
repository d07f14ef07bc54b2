"""Read the per-epoch values of metrics of many runs at once."""

from collections.abc import Callable, Sequence
from functools import partial

from mlflow import MlflowClient
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from mlflow.utils.credentials import get_default_host_creds
from mlflow.utils.rest_utils import http_request_safe

from dropout_lab.tracking.location import Location

_BULK_ENDPOINT = "/ajax-api/2.0/mlflow/metrics/get-history-bulk"
_RUNS_PER_REQUEST = 100  # the server's own limits
_VALUES_PER_REQUEST = 25_000
_VALUES_PER_QUERY = 250_000  # some 100 MB; each query scans all values of the metric, so few are made

Histories = dict[str, dict[int, float]]
"""For each run, its values by step."""
Values = list[tuple[str, int, float]]
"""Run id, step and value."""


def read_histories(
    client: MlflowClient, location: Location, run_ids: Sequence[str], metrics: Sequence[str], max_step: int
) -> dict[str, Histories]:
    """Return the values of metrics in many runs.

    The client of MLflow reads one run and metric per call. Both kinds of store have a bulk call that it
    does not use: a database through its store class, a server at an address that the MLflow UI uses.

    Args:
        client: Open client.
        location: Its tracking store.
        run_ids: IDs of the runs.
        metrics: Names of the metrics.
        max_step: Expected largest number of values per run, which bounds the number of runs per call.

    Returns:
        For each metric, the last value of each step, by run and step, without runs that lack the metric.
    """
    ask: Callable[[Sequence[str], str, int], Values]
    runs_at_once, values_at_once = _RUNS_PER_REQUEST, _VALUES_PER_REQUEST
    if location.is_server:
        ask = partial(_from_server, location)
    elif location.artifact_root is not None:
        ask = partial(_from_database, SqlAlchemyStore(location.uri, str(location.artifact_root)))
        runs_at_once, values_at_once = len(run_ids), _VALUES_PER_QUERY
    else:
        ask = partial(_from_client, client)
    at_once = max(1, min(runs_at_once, (values_at_once - 1) // max(1, max_step)))
    histories: dict[str, Histories] = {metric: {} for metric in metrics}
    for metric in metrics:
        for first in range(0, len(run_ids), at_once):
            part = run_ids[first : first + at_once]
            values = ask(part, metric, values_at_once)
            if len(values) >= values_at_once:  # cut off there: the runs have more values than expected
                values = _from_client(client, part, metric)
            for run_id, step, value in values:
                histories[metric].setdefault(run_id, {})[step] = value
    return histories


def _from_server(location: Location, run_ids: Sequence[str], metric: str, at_most: int) -> Values:
    response = http_request_safe(
        get_default_host_creds(location.uri),
        _BULK_ENDPOINT,
        "GET",
        params={"run_id": list(run_ids), "metric_key": metric, "max_results": at_most},
    )
    found = response.json().get("metrics", [])
    return [(one["run_id"], int(one["step"]), float(one["value"])) for one in found]


def _from_database(store: SqlAlchemyStore, run_ids: Sequence[str], metric: str, at_most: int) -> Values:
    found = store.get_metric_history_bulk(run_ids, metric, at_most)
    return [(one.run_id, one.step, one.value) for one in found]


def _from_client(client: MlflowClient, run_ids: Sequence[str], metric: str, at_most: int = 0) -> Values:  # noqa: ARG001
    return [
        (run_id, found.step, found.value)
        for run_id in run_ids
        for found in client.get_metric_history(run_id, metric)
    ]
