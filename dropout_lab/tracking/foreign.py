"""Read runs that dropout_lab did not train, grouped by a param or a tag."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from dropout_lab.errors import UsageError, did_you_mean
from dropout_lab.records import RunRecord, RunStatus
from dropout_lab.tracking.failures import failures_told
from dropout_lab.tracking.listing import list_runs
from dropout_lab.tracking.reader import choose_experiment
from dropout_lab.tracking.run_record import is_whole
from dropout_lab.tracking.store import open_client

SEEDS = ("params.seed", "params.random_seed", "params.random_state")
"""Params that differ from run to run of one condition without being settings."""


@dataclass(frozen=True)
class ForeignRun:
    """A run of any MLflow experiment.

    Attributes:
        seed: Value that it is paired by; empty if it has none.
        record: The run, with its own params as spec; its seed is not set.
    """

    seed: str
    record: RunRecord


def read_foreign_runs(
    experiment: str | None, *, group_by: Sequence[str], pair_by: str | None = None
) -> list[ForeignRun]:
    """Return the runs of an experiment, in order of start, each with a condition made of its own values.

    Args:
        experiment: Its name; None takes ``MLFLOW_EXPERIMENT_NAME``, else the experiment of the latest run.
        group_by: Params or tags, such as ``params.dropout``: runs with equal values are one condition.
        pair_by: The param or tag that pairs runs of different conditions, such as ``params.seed``.

    Raises:
        UsageError: If the experiment or a key does not exist.
        TrackingError: If the store cannot be read.
    """
    keys = [*group_by, *([pair_by] if pair_by else [])]
    for key in keys:
        if key.partition(".")[0] not in ("params", "tags") or not key.partition(".")[2]:
            raise UsageError(f"not a param or tag: {key!r}", hint="Write it as params.NAME or tags.NAME.")
    client, location = open_client(create=False)
    with failures_told(location):
        chosen = choose_experiment(client, location, experiment)
        found = [run for run in list_runs(client, chosen.experiment_id) if is_whole(run)]
    known = sorted({key for run in found for key in _values(run)})
    for key in keys:
        if key not in known:
            named = ", ".join(name for name in known if not name.startswith("tags.mlflow."))
            raise UsageError(
                f"No run of {chosen.name} has {key!r}{did_you_mean(key, known)}",
                hint=f"Available: {named}.",
            )
    return [_foreign(run, chosen.name, group_by, pair_by) for run in found]


def _values(run: Any) -> dict[str, str]:
    return {
        **{f"params.{name}": value for name, value in run.data.params.items()},
        **{f"tags.{name}": value for name, value in run.data.tags.items()},
    }


def _foreign(run: Any, experiment: str, group_by: Sequence[str], pair_by: str | None) -> ForeignRun:
    values = _values(run)
    condition = ", ".join(f"{key.partition('.')[2]}={values.get(key, '(none)')}" for key in group_by)
    status = RunStatus(run.info.status) if run.info.status in RunStatus.__members__ else RunStatus.RUNNING
    spec: Mapping[str, str] = {
        # Keras numbers its optimizers: adam, adam_1, ...
        key: re.sub(r"_\d+$", "", value) if key == "params.optimizer_name" else value
        for key, value in values.items()
        if key in group_by or (key.startswith("params.") and key not in (pair_by, *SEEDS))
    }
    record = RunRecord(
        run_id=run.info.run_id,
        run_name=run.info.run_name or run.info.run_id,
        experiment_id=str(run.info.experiment_id),
        experiment_name=experiment,
        status=status,
        condition=condition,
        seed=0,
        start_time=datetime.fromtimestamp(run.info.start_time / 1000, UTC),
        spec=spec,
        metrics=dict(run.data.metrics),
    )
    return ForeignRun(values.get(pair_by, "") if pair_by else "", record)
