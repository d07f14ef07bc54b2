"""Turns MLflow's runs into `RunRecord`s."""

import re
from datetime import UTC, datetime
from functools import cache
from typing import Any

from dropout_lab.records import Design, RunRecord, RunStatus
from dropout_lab.tracking import liveness, tags
from dropout_lab.tracking.notes import note_once

IDENTITY = (tags.CONDITION, tags.SEED)
"""Logged as tags, by which runs are searched, and as params, which nobody can change."""


def is_ours(run: Any) -> bool:
    """Return whether dropout_lab trained MLflow's `run`; a comparison's report is no such run."""
    names = set(run.data.tags)
    return tags.COMPARISON not in names and any(name.startswith("dropout_lab.") for name in names)


def to_record(run: Any, experiment_name: str) -> RunRecord | None:
    """Return MLflow's `run` as a record, INTERRUPTED if its process has died.

    A condition or seed that was changed in MLflow is noted, and the trained one taken. A run without them
    is noted and left out: None.
    """
    condition, seed = _as_trained(run, "condition"), _as_trained(run, "seed")
    if not condition or not seed.isdecimal():
        name = "seed" if condition else "condition"
        note_once(
            f"The run {run.info.run_name} ({run.info.run_id}) is left out: its tag dropout_lab.{name} is "
            f"{seed if condition else condition!r}. Set it back in the MLflow UI, or delete the run there."
        )
        return None
    values = run.data.tags
    status = RunStatus(run.info.status) if run.info.status in RunStatus.__members__ else RunStatus.RUNNING
    if status is RunStatus.RUNNING and liveness.is_gone(values):
        status = RunStatus.INTERRUPTED

    def ours(name: str) -> str:
        return str(values.get(f"dropout_lab.{name}", ""))

    return RunRecord(
        run_id=run.info.run_id,
        run_name=run.info.run_name,
        experiment_id=str(run.info.experiment_id),
        experiment_name=experiment_name,
        status=status,
        condition=condition,
        seed=int(seed),
        start_time=datetime.fromtimestamp(run.info.start_time / 1000, UTC),
        spec_fingerprint=ours("spec_fingerprint"),
        initial_weights=ours("initial_weights"),
        batch_order=ours("batch_order"),
        final_weights=ours("final_weights"),
        data_digest=ours("data_digest"),
        device=ours("device"),
        device_name=ours("device_name"),
        engine=ours("engine"),
        git_commit=values.get("mlflow.source.git.commit", ""),
        git_dirty=ours("git_dirty").lower() == "true",
        versions={
            "dropout_lab": ours("version"),
            **{
                name.removeprefix("versions."): value
                for name, value in values.items()
                if name.startswith("versions.")
            },
        },
        spec={key: value for key, value in run.data.params.items() if key not in IDENTITY},
        metrics=dict(run.data.metrics),
        description=values.get("mlflow.note.content", ""),
        claims_fingerprint=ours("claims_fingerprint"),
        instruction_set=ours("instruction_set"),
        onednn=ours("onednn"),
        num_threads=ours("num_threads"),
        code=ours("code"),
        design=_design(ours("design")),
        requested=_time(ours("requested")),
        end_time=_time(str(run.info.end_time)),
    )


@cache
def _design(text: str) -> Design | None:
    """Return a logged design; none where it was not logged, or was edited into something else."""
    try:
        return Design.from_json(text) if text else None
    except ValueError:
        return None


def _time(milliseconds: str) -> datetime | None:
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC) if milliseconds.isdecimal() else None


def _as_trained(run: Any, name: str) -> str:
    """Return condition or seed of `run`: its param, or without params its tag or part of its name."""
    tagged = str(run.data.tags.get(f"dropout_lab.{name}", ""))
    trained = str(run.data.params.get(f"dropout_lab.{name}", tagged))
    if not trained and (parts := re.fullmatch(r"(?P<condition>.+)-seed(?P<seed>\d+)", run.info.run_name)):
        trained = parts[name]
    if trained != tagged:
        note_once(
            f"The run {run.info.run_name} ({run.info.run_id}) was trained with {name} {trained!r}. Its tag "
            f"dropout_lab.{name} was changed to {tagged!r} since, which is ignored."
        )
    return trained
