"""The only package that imports MLflow: `connect` writes runs, `read_runs` and `find_run` read them."""

from dropout_lab.tracking.delivery import EpochDelivery
from dropout_lab.tracking.finding import find_run
from dropout_lab.tracking.known_runs import discard_run, has_run, is_finished
from dropout_lab.tracking.location import Location, locate
from dropout_lab.tracking.logged_files import (
    LoggedModel,
    fetch_model,
    find_model,
    load_predictions,
    load_test_probs,
)
from dropout_lab.tracking.reader import ExperimentRecord, list_experiments, read_runs
from dropout_lab.tracking.writer import Tracker, connect

__all__ = [
    "EpochDelivery",
    "ExperimentRecord",
    "Location",
    "LoggedModel",
    "Tracker",
    "connect",
    "discard_run",
    "fetch_model",
    "find_model",
    "find_run",
    "has_run",
    "is_finished",
    "list_experiments",
    "load_predictions",
    "load_test_probs",
    "locate",
    "read_runs",
]
