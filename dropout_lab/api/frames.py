"""Runs as a data frame."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dropout_lab.libraries import quiet_libraries
from dropout_lab.records import RunRecord, RunStatus

if TYPE_CHECKING:
    from pandas import DataFrame

RUN_COLUMNS = (
    "run_id",
    "run_name",
    "experiment",
    "condition",
    "seed",
    "status",
    "start_time",
    "end_time",
    "engine",
    "device",
)
"""Columns before the metrics and params."""


def load_runs(
    experiment: str | None = None, *, finished_only: bool = False, histories: Sequence[str] = ()
) -> "DataFrame":
    """Read the runs of an experiment that dropout_lab trained, the oldest first.

    Args:
        experiment: Name of the experiment. [default: ``MLFLOW_EXPERIMENT_NAME``, or that of the latest run]
        finished_only: Whether unfinished and failed runs are left out.
        histories: Names of per-epoch metrics, such as ``val_accuracy``.

    Returns:
        One row per run: `RUN_COLUMNS`; each metric under its name, fractions 0 to 1; each setting as
        ``params.NAME``, in the text that MLflow keeps; the values per epoch as tuples in ``history.NAME``.

    Raises:
        UsageError: If there is no such experiment.
        TrackingError: If the store cannot be read, or has no runs yet.
    """
    with quiet_libraries():
        from dropout_lab.tracking import read_runs

        statuses = {RunStatus.FINISHED} if finished_only else None
        return run_frame(read_runs(experiment, statuses=statuses, histories=histories), histories)


def run_frame(runs: Sequence[RunRecord], histories: Sequence[str] = ()) -> "DataFrame":
    """Return one row per run, with the columns of `load_runs`."""
    import pandas as pd

    metrics = sorted({name for run in runs for name in run.metrics})
    params = sorted({name for run in runs for name in run.spec})
    columns = [
        *RUN_COLUMNS,
        *metrics,
        *(f"params.{name}" for name in params),
        *(f"history.{name}" for name in histories),
    ]
    return pd.DataFrame([_row(run, histories) for run in runs], columns=columns)


def identity_of(run: RunRecord) -> dict[str, str | int]:
    """Return which run it is, and its status, as tables and JSON have it."""
    return {
        "run_id": run.run_id,
        "run_name": run.run_name,
        "experiment": run.experiment_name,
        "condition": run.condition,
        "seed": run.seed,
        "status": run.status.value,
    }


def _row(run: RunRecord, histories: Sequence[str]) -> dict[str, Any]:
    return {
        **identity_of(run),
        "start_time": run.start_time,
        "end_time": run.end_time,
        "engine": run.engine,
        "device": run.device,
        **run.metrics,
        **{f"params.{name}": value for name, value in run.spec.items()},
        **{f"history.{name}": run.history.get(name, ()) for name in histories},
    }
