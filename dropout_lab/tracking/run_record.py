"""Turns MLflow's runs into `RunRecord`s."""

import re
from datetime import UTC, datetime
from typing import Any

from dropout_lab.records import RunRecord, RunStatus
from dropout_lab.tracking import descriptions, liveness, schema
from dropout_lab.tracking.notes import note_once


def is_whole(run: Any) -> bool:
    """Return whether MLflow's `run` is one: no report, no study, and no import that is not complete."""
    return set(run.data.tags).isdisjoint(schema.NO_RUNS)


def is_ours(run: Any) -> bool:
    """Return whether dropout_lab trained MLflow's `run`."""
    names = set(run.data.tags) - {schema.IMPORTED_FROM}
    return is_whole(run) and any(name.startswith(schema.PREFIX) for name in names)


def to_record(run: Any, experiment_name: str) -> RunRecord | None:
    """Return MLflow's `run` as a record, INTERRUPTED if its process has died.

    A condition or seed that was changed in MLflow is noted, and the trained one taken. A run without them
    is noted and left out: None.
    """
    condition, seed = _as_trained(run, schema.CONDITION), _as_trained(run, schema.SEED)
    if not condition or not seed.isdecimal():
        tag = schema.SEED if condition else schema.CONDITION
        note_once(
            f"The run {run.info.run_name} ({run.info.run_id}) is left out: its tag {tag} is "
            f"{seed if condition else condition!r}. Set it back in the MLflow UI, or delete the run there."
        )
        return None
    values = run.data.tags
    status = RunStatus(run.info.status) if run.info.status in RunStatus.__members__ else RunStatus.RUNNING
    if status is RunStatus.RUNNING and liveness.is_gone(values):
        status = RunStatus.INTERRUPTED
    return RunRecord(
        run_id=run.info.run_id,
        run_name=run.info.run_name,
        experiment_id=str(run.info.experiment_id),
        experiment_name=experiment_name,
        status=status,
        condition=condition,
        seed=int(seed),
        start_time=datetime.fromtimestamp(run.info.start_time / 1000, UTC),
        end_time=schema.read_time(str(run.info.end_time)),
        spec={key: value for key, value in run.data.params.items() if key not in schema.IDENTITY},
        metrics=dict(run.data.metrics),
        description=descriptions.stated(values),
        **schema.read_facts(values),
    )


def _as_trained(run: Any, key: str) -> str:
    """Return condition or seed of `run`: its param, or without params its tag or part of its name."""
    name = key.removeprefix(schema.PREFIX)
    tagged = str(run.data.tags.get(key, ""))
    trained = str(run.data.params.get(key, tagged))
    if not trained and (parts := re.fullmatch(r"(?P<condition>.+)-seed(?P<seed>\d+)", run.info.run_name)):
        trained = parts[name]
    if trained != tagged:
        note_once(
            f"The run {run.info.run_name} ({run.info.run_id}) was trained with {name} {trained!r}. Its tag "
            f"{key} was changed to {tagged!r} since, which is ignored."
        )
    return trained
