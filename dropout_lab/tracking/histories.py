"""Read the per-epoch values of metrics of many runs at once."""

from collections.abc import Sequence
from functools import partial

from mlflow import MlflowClient

from dropout_lab.tracking.location import Location
from dropout_lab.tracking.mlflow_internals import (
    RUNS_PER_REQUEST,
    VALUES_PER_REQUEST,
    ReadHistory,
    Values,
    database_history,
    server_history,
)

_VALUES_PER_QUERY = 250_000  # some 100 MB; each query scans all values of the metric, so few are made

Histories = dict[str, dict[int, float]]
"""For each run, its values by step."""


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
    ask: ReadHistory
    runs_at_once, values_at_once = RUNS_PER_REQUEST, VALUES_PER_REQUEST
    if location.is_server:
        ask = server_history(location.uri)
    elif location.artifact_root is not None:
        ask = database_history(location.uri, location.artifact_root)
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


def _from_client(client: MlflowClient, run_ids: Sequence[str], metric: str, at_most: int = 0) -> Values:  # noqa: ARG001
    return [
        (run_id, found.step, found.value)
        for run_id in run_ids
        for found in client.get_metric_history(run_id, metric)
    ]
