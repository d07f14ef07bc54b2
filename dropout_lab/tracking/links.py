"""Addresses of views in the MLflow UI.

Without ``workflowType`` MLflow opens an overview for language models (mlflow#24498).
"""

import json
from collections.abc import Sequence
from urllib.parse import quote, urlsplit

from dropout_lab.tracking import schema

LOCAL_UI = "http://127.0.0.1:5000"
_TRAINING = "workflowType=machine_learning"


def base_address(tracking_uri: str) -> str:
    """Return the address of the MLflow UI, without user and password.

    It is that of the server, or that of `mlflow ui` for a local store.
    """
    parts = urlsplit(tracking_uri)
    if parts.scheme not in ("http", "https"):
        return LOCAL_UI
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"


def experiment_address(base: str, experiment_id: str) -> str:
    """Return the address of the table of runs of an experiment."""
    return f"{base}/#/experiments/{experiment_id}/runs?{_TRAINING}"


def view_address(base: str, experiment_id: str) -> str:
    """Return the address of the results by condition of an experiment; see `views`."""
    return f"{experiment_address(base, experiment_id)}&viewStateShareKey={schema.VIEW_KEY}"


def run_address(base: str, experiment_id: str, run_id: str) -> str:
    """Return the address of one run."""
    return f"{base}/#/experiments/{experiment_id}/runs/{run_id}?{_TRAINING}"


def model_address(base: str, experiment_id: str, model_id: str) -> str:
    """Return the address of a logged model."""
    return f"{base}/#/experiments/{experiment_id}/models/{model_id}?{_TRAINING}"


def comparison_address(base: str, experiment_ids: Sequence[str], run_ids: Sequence[str]) -> str:
    """Return the address of the side-by-side comparison of runs."""
    runs, experiments = (
        quote(json.dumps(list(ids), separators=(",", ":")), safe="") for ids in (run_ids, experiment_ids)
    )
    return f"{base}/#/compare-runs?runs={runs}&experiments={experiments}&{_TRAINING}"


def curves_address(base: str, experiment_id: str, run_ids: Sequence[str]) -> str:
    """Return the address of the overlaid metric curves of runs of one experiment."""
    listed = ",".join(f"'{run_id}'" for run_id in run_ids)
    chosen = quote(f"attributes.run_id IN ({listed})", safe="")
    return f"{experiment_address(base, experiment_id)}&compareRunsMode=CHART&searchFilter={chosen}"
