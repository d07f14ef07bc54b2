"""Write runs. Every call may be repeated after a crash or an outage; nothing is recorded twice."""

import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Metric, RunTag

from dropout_lab.evaluation.registry import DROPOUT_RATE, EPOCH_METRICS
from dropout_lab.records import EpochMetrics, FloatArray, RunFacts, RunRecord, RunStart, RunStatus
from dropout_lab.redaction import redact
from dropout_lab.tracking import descriptions, liveness, models, schema
from dropout_lab.tracking.batches import METRICS_PER_CALL, log_metrics
from dropout_lab.tracking.experiments import describe, find_or_create
from dropout_lab.tracking.failures import failures_told
from dropout_lab.tracking.known_runs import find_status
from dropout_lab.tracking.location import Location
from dropout_lab.tracking.model_code import ModelCode
from dropout_lab.tracking.repeating import repeatable
from dropout_lab.tracking.run_record import to_record
from dropout_lab.tracking.starting import start_run
from dropout_lab.tracking.store import open_client
from dropout_lab.tracking.studies import find_study, open_study, summarize_study
from dropout_lab.tracking.system_metrics import SystemMetricsSampler


def connect(experiment: str) -> "Tracker":
    """Open the tracking store for writing to one experiment, and create what is missing.

    Args:
        experiment: Name of the MLflow experiment.

    Raises:
        TrackingError: If there is no usable store, or the experiment was deleted; within seconds.
        TrackingUnavailable: If the server does not answer.
    """
    client, location = open_client(create=True)
    with failures_told(location):
        experiment_id = find_or_create(client, location, experiment)
    return Tracker(client, location, experiment, experiment_id)


class Tracker:
    """Writer of the runs of one experiment; `connect` makes it.

    Every method raises TrackingUnavailable if the store does not answer now (the call may be repeated
    later), and TrackingError if it refuses.
    """

    def __init__(self, client: MlflowClient, location: Location, experiment: str, experiment_id: str) -> None:
        self.client = client
        self.location = location
        self.experiment = experiment
        self.experiment_id = experiment_id
        self._study_id: str | None = None

    @repeatable
    def open_study(self) -> None:
        """Nest the runs that are started from now on under the study of the experiment."""
        self._study_id = open_study(self.client, self.location, self.experiment_id, self.experiment)

    @repeatable
    def summarize_study(
        self,
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
        summary: str,
        verdicts: Sequence[str] | None = None,
    ) -> None:
        """Log the results of all runs to the study, and the `verdicts` to the experiment."""
        summarize_study(self.client, self.experiment_id, metrics=metrics, tags=tags, summary=summary)
        describe(self.client, self.experiment_id, verdicts=verdicts)

    @repeatable
    def find_finished(self, run_key: str) -> RunRecord | None:
        """Return the latest finished run of this experiment with the tag `run_key`, if any."""
        found = self.client.search_runs(
            [self.experiment_id],
            f"tags.`{schema.RUN_KEY}` = '{run_key}' AND attributes.status = 'FINISHED'",
            max_results=1,
            order_by=["attributes.start_time DESC"],
        )
        return to_record(found[0], self.experiment) if found else None

    @repeatable
    def describe(self, text: str) -> None:
        """Make `text` the description of the experiment if it has none; see `experiments.describe`."""
        describe(self.client, self.experiment_id, text)

    @repeatable
    def has_run(self, run_id: str) -> bool:
        """Return whether the store has this run, and it is not deleted."""
        return find_status(self.client, run_id) is not None

    @repeatable
    def renamed_to(self) -> str | None:
        """Return the new name of the experiment that had this name before, if this one has no runs yet."""
        if self.client.search_runs([self.experiment_id], max_results=1):
            return None
        names = {one.experiment_id: one.name for one in self.client.search_experiments()}
        names.pop(self.experiment_id, None)
        filter_ = f"tags.`{schema.EXPERIMENT}` = '{self.experiment}'"
        found = self.client.search_runs(list(names), filter_, max_results=1) if names else []
        return names[found[0].info.experiment_id] if found else None

    def start_run(self, start: RunStart, *, start_id: str = "") -> str:
        """Create a run and log what is known before its first step.

        Args:
            start: Params, tags, data and texts of the run.
            start_id: Name of this start that the caller has saved, such as a UUID. If a run was created
                under it, that run is completed and returned, so that a process killed in this call
                leaves no second run.

        Returns:
            The run's id.
        """
        return self._start_run(start, start_id or uuid.uuid4().hex)

    @repeatable
    def _start_run(self, start: RunStart, start_id: str) -> str:
        self._study_id = self._study_id or find_study(self.client, self.experiment_id)
        places = {schema.EXPERIMENT: self.experiment}
        if self._study_id:
            places[schema.PARENT] = self._study_id
        return start_run(self.client, self.experiment_id, start, start_id, places)

    @repeatable
    def resume_run(self, run_id: str) -> None:
        """Mark an interrupted run as RUNNING, in this process."""
        self.client.update_run(run_id, status=RunStatus.RUNNING.value)
        self._set_tags(run_id, liveness.process_tags())

    @repeatable
    def note_request(self, run_id: str) -> None:
        """Record that a command asked for a finished run now."""
        self._set_tags(run_id, schema.fact_tags(RunFacts(requested=datetime.now(UTC))))

    @repeatable
    def set_tags(self, run_id: str, values: Mapping[str, str]) -> None:
        """Set tags that become known only after the start, such as the reason of a failure."""
        self._set_tags(run_id, values)

    def _set_tags(self, run_id: str, values: Mapping[str, str]) -> None:
        self.client.log_batch(run_id, tags=[RunTag(name, redact(value)) for name, value in values.items()])

    @repeatable
    def log_epochs(self, run_id: str, epochs: Sequence[EpochMetrics]) -> None:
        """Log the epochs that are not logged yet.

        Args:
            run_id: Run to log to.
            epochs: All epochs so far, or any part of them, in order.
        """
        # An earlier process may have logged them with other times, which would make them new values.
        history = self.client.get_metric_history(run_id, EPOCH_METRICS[-1])
        logged = {metric.step for metric in history}
        missing = [epoch for epoch in epochs if epoch.epoch not in logged]
        num_values = len(EPOCH_METRICS) + max((len(epoch.rates) for epoch in missing), default=0)
        at_once = max(1, METRICS_PER_CALL // num_values)
        for first in range(0, len(missing), at_once):
            metrics = [
                Metric(name, value, epoch.end_time_ms, epoch.epoch)
                for epoch in missing[first : first + at_once]
                for name, value in _epoch_values(epoch).items()
            ]
            heartbeat = RunTag(schema.HEARTBEAT, liveness.heartbeat())
            self.client.log_batch(run_id, metrics=metrics, tags=[heartbeat])

    @repeatable
    def epoch_values(self, run_id: str, metric: str) -> list[float]:
        """Return the values of a per-epoch metric of a run, in order of epoch."""
        by_epoch = {one.step: one.value for one in self.client.get_metric_history(run_id, metric)}
        return [by_epoch[epoch] for epoch in sorted(by_epoch)]

    @repeatable
    def log_result(
        self,
        run_id: str,
        metrics: Mapping[str, float],
        *,
        step: int,
        timestamp_ms: int,
        folder: Path,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Log the final metrics that are not logged yet, all files under `folder`, and a description.

        Args:
            metrics: By name, such as ``test_accuracy``; fractions are 0 to 1.
            step: The last epoch.
            timestamp_ms: Time of measurement, in milliseconds since 1970.
            folder: Folder of the files, at their paths in the run.
            tags: Tags that become known only after training, such as the final weights' fingerprint.
        """
        data = self.client.get_run(run_id).data
        missing = [
            Metric(name, value, timestamp_ms, step)
            for name, value in metrics.items()
            if name not in data.metrics
        ]
        log_metrics(self.client, run_id, missing)
        self.client.log_artifacts(run_id, str(folder))
        description = {schema.DESCRIPTION: descriptions.with_results(data.tags, metrics)}
        self._set_tags(run_id, {**(tags or {}), **description})

    @repeatable
    def log_evaluation(
        self, run_id: str, metrics: Mapping[str, float], folder: Path, tags: Mapping[str, str]
    ) -> None:
        """Log what was measured of a finished run, and at last the tags that say so.

        Args:
            metrics: By name; they replace those that the run has.
            folder: Folder of the files, at their paths in the run.
            tags: Tags of the measured parts.
        """
        now = round(datetime.now(UTC).timestamp() * 1000)
        values = [Metric(name, value, now, 0) for name, value in metrics.items()]
        self.client.log_batch(run_id, metrics=values)
        self.client.log_artifacts(run_id, str(folder))
        self._set_tags(run_id, tags)

    @repeatable
    def log_model(
        self,
        run_id: str,
        model: models.LoggableModel,
        input_example: FloatArray,
        metrics: Collection[str],
        code: ModelCode | None = None,
        texts: Mapping[str, str] | None = None,
    ) -> str:
        """Log the trained model and link it with the run and its final metrics; see `models.log_model`."""
        return models.log_model(self.client, run_id, model, input_example, metrics, code, texts)

    @contextmanager
    def system_metrics(self, run_id: str) -> Iterator[None]:
        """Sample processor, memory, disk, network and GPU while the body runs; raises nothing itself."""
        with SystemMetricsSampler(self.client, self.location, run_id):
            yield

    @repeatable
    def end_run(self, run_id: str, status: RunStatus) -> None:
        """Set the final status of a run: FINISHED, FAILED or KILLED."""
        self.client.set_terminated(run_id, status.value)


def _epoch_values(epoch: EpochMetrics) -> dict[str, float]:
    """Return the values of an epoch by metric; the last of `EPOCH_METRICS` comes last."""
    rates = {DROPOUT_RATE.name(site): rate for site, rate in epoch.rates.items()}
    return rates | {name: getattr(epoch, name) for name in EPOCH_METRICS}
