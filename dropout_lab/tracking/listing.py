"""List everything in an experiment, whichever tool logged it."""

from collections.abc import Iterator
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import ViewType

from dropout_lab.records import RunRecord

_RUNS_PER_PAGE = 500
_MODELS_PER_PAGE = 50


def list_runs(client: MlflowClient, experiment_id: str, *, deleted: bool = False) -> Iterator[Any]:
    """Yield MLflow's runs of an experiment, the oldest first; with `deleted` those deleted in MLflow too."""
    token = None
    while True:
        page = client.search_runs(
            [experiment_id],
            run_view_type=ViewType.ALL if deleted else ViewType.ACTIVE_ONLY,
            max_results=_RUNS_PER_PAGE,
            order_by=["attributes.start_time ASC"],
            page_token=token,
        )
        yield from page
        token = page.token
        if not token:
            return


def list_models(client: MlflowClient, experiment_id: str, run_id: str = "") -> Iterator[Any]:
    """Yield the logged models of an experiment, or of one of its runs."""
    token = None
    while True:
        page = client.search_logged_models(
            [experiment_id],
            f"source_run_id = '{run_id}'" if run_id else None,
            max_results=_MODELS_PER_PAGE,
            page_token=token,
        )
        yield from page
        token = page.token
        if not token:
            return


def find_ready_model(client: MlflowClient, run: RunRecord) -> Any | None:
    """Return the logged model of a run; None if it has none, or its upload was not completed."""
    found = list_models(client, run.experiment_id, run.run_id)
    return next((model for model in found if model.status == "READY"), None)
