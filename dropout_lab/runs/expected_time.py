"""How long a run takes, by finished runs of the same network, data, engine and hardware."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median

from dropout_lab.comparison.confounds import ADDED
from dropout_lab.records import DeviceInfo, RunRecord, RunStatus
from dropout_lab.runs.planning import PlannedRun

SAME = (
    "model.",
    "data.",
    "training.augmentation",
    "training.batch_size",
    "training.optimizer",
    "training.precision",
)
"""Beginnings of settings that decide how long an epoch takes."""
FREE = ("model.dropout.", "data.code", "data.folder", "data.split_seed")
"""Those among them that do not matter, or little: dropout costs a few percent of a step."""


@dataclass(frozen=True)
class Place:
    """What computes a run.

    Attributes:
        engine: Name of the engine.
        device: The device, with its number of threads.
    """

    engine: str
    device: DeviceInfo

    def has_trained(self, record: RunRecord) -> bool:
        """Return whether a run was computed in the same way."""
        return (record.engine, record.device_name, record.num_threads) == (
            self.engine,
            self.device.device_name,
            str(self.device.num_threads),
        )


@dataclass(frozen=True)
class ExpectedTime:
    """The time that a run is expected to take.

    Attributes:
        seconds: From start to end.
        num_runs: Number of finished runs that it is estimated from.
    """

    seconds: float
    num_runs: int


def expected_time(run: PlannedRun, place: Place, records: Iterable[RunRecord]) -> ExpectedTime | None:
    """Return the time that a run is expected to take; None if no finished run tells.

    The time of an epoch's steps is the median over the runs; so is the time for all else, such as
    compilation, validation, evaluation and logging, which is taken to be the same for any number of epochs.
    Runs of the same settings are preferred to those of the same network with other dropout.

    Args:
        run: A planned run, with its network resolved.
        place: What will compute it.
        records: Runs of any experiment and status.
    """
    needed = _deciding(run.params)
    alike = [
        record
        for record in records
        if record.status is RunStatus.FINISHED
        and record.end_time is not None
        and record.metrics.get("epoch_seconds")
        and record.metrics.get("train_seconds")
        and place.has_trained(record)
        and _deciding(record.spec) == needed
    ]
    same = [record for record in alike if record.spec_fingerprint == run.spec_fingerprint]
    chosen = same or alike
    if not chosen:
        return None
    epoch = median(_epoch_seconds(record) for record in chosen)
    other = median(_other_seconds(record) for record in chosen)
    return ExpectedTime(epoch * run.settings.training.epochs + other, len(chosen))


def _deciding(params: Mapping[str, str]) -> dict[str, str]:
    return {
        key: value
        for key, value in {**ADDED, **params}.items()
        if key.startswith(SAME) and not key.startswith(FREE)
    }


def _epoch_seconds(record: RunRecord) -> float:
    epochs = record.spec.get("training.epochs", "")
    stops_early = any(key.startswith("training.early_stopping") for key in record.spec)
    if stops_early or not epochs.isdecimal():
        return record.metrics["epoch_seconds"]  # the last one: how many there were is not logged
    return record.metrics["train_seconds"] / int(epochs)


def _other_seconds(record: RunRecord) -> float:
    assert record.end_time is not None
    whole = (record.end_time - record.start_time).total_seconds()
    return max(0.0, whole - record.metrics["train_seconds"], record.metrics.get("evaluation_seconds", 0.0))
