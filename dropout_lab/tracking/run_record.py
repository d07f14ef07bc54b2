"""Turns MLflow's runs into `RunRecord`s."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from dropout_lab.errors import TrackingError
from dropout_lab.records import Design, RunRecord, RunStatus
from dropout_lab.tracking import liveness


def to_record(run: Any, experiment_name: str) -> RunRecord:
    """Return MLflow's `run` as a record, INTERRUPTED where its process is gone."""
    values = run.data.tags
    status = RunStatus(run.info.status) if run.info.status in RunStatus.__members__ else RunStatus.RUNNING
    if status is RunStatus.RUNNING and liveness.is_gone(values):
        status = RunStatus.INTERRUPTED

    def ours(name: str) -> str:
        return str(values.get(f"dropout_lab.{name}", ""))

    if not ours("seed").isdecimal():
        raise TrackingError(
            f"The run {run.info.run_name} ({run.info.run_id}) has no whole number as its tag "
            f"dropout_lab.seed, but {ours('seed')!r}.",
            hint="Somebody changed it: set it back on MLflow's page, or delete the run there.",
        )
    return RunRecord(
        run_id=run.info.run_id,
        run_name=run.info.run_name,
        experiment_id=str(run.info.experiment_id),
        experiment_name=experiment_name,
        status=status,
        condition=ours("condition"),
        seed=int(ours("seed")),
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
        spec=dict(run.data.params),
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
