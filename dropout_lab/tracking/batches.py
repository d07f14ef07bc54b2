"""Log as many values as a store takes at once, in as few calls."""

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from mlflow import MlflowClient
from mlflow.entities import Metric, Param

PARAMS_PER_CALL = 100
METRICS_PER_CALL = 1000

Item = TypeVar("Item")


def log_params(client: MlflowClient, run_id: str, params: Sequence[Param]) -> None:
    """Log params of a run."""
    for some in _parts(params, PARAMS_PER_CALL):
        client.log_batch(run_id, params=some)


def log_metrics(client: MlflowClient, run_id: str, metrics: Sequence[Metric]) -> None:
    """Log metrics of a run."""
    for some in _parts(metrics, METRICS_PER_CALL):
        client.log_batch(run_id, metrics=some)


def _parts(items: Sequence[Item], size: int) -> Iterator[Sequence[Any]]:
    return (items[first : first + size] for first in range(0, len(items), size))
