"""Executes planned runs: data, training, tracking; from wherever an earlier attempt was stopped."""

import time
import uuid
from dataclasses import dataclass
from typing import Any

import yaml

from dropout_lab.errors import TrackingError, TrainingError
from dropout_lab.execution.planning import PlannedRun, result_versions
from dropout_lab.execution.provenance import provenance_tags
from dropout_lab.execution.result_folder import ResultFolder, final_metrics
from dropout_lab.execution.run_folder import RunFolder, open_run_folder
from dropout_lab.execution.stopping import StopRequest
from dropout_lab.execution.watch import Reporter, Watch
from dropout_lab.learning.data import Dataset
from dropout_lab.learning.engines import choose_engine
from dropout_lab.learning.session import Session, load_model
from dropout_lab.records import DeviceInfo, RunStart, RunStatus
from dropout_lab.spec import flatten
from dropout_lab.tracking import EpochDelivery, Tracker, tags


@dataclass(frozen=True)
class RunOutcome:
    """What became of a planned run.

    Attributes:
        run: The run.
        run_id: In MLflow.
        metrics: The final metrics.
        was_finished: Whether an earlier call had finished it, so that nothing was trained.
        delivered: Whether the tracking store has everything.
    """

    run: PlannedRun
    run_id: str
    metrics: dict[str, float]
    was_finished: bool = False
    delivered: bool = True


@dataclass(frozen=True)
class Runner:
    """Executes the runs of one experiment.

    Attributes:
        tracker: Of the experiment.
        reporter: Is told how it goes.
        stop: Ends the run at the next step, with its state saved, once it holds a signal.
    """

    tracker: Tracker
    reporter: Reporter
    stop: StopRequest

    def execute(
        self, run: PlannedRun, data: Dataset, device: DeviceInfo, *, fresh: bool = False
    ) -> RunOutcome:
        """Train `run`, go on where it was stopped, or find that it is finished.

        Args:
            run: The run.
            data: The images that its settings choose.
            device: The device that its settings resolve to.
            fresh: Train anew, whatever earlier calls did.

        Raises:
            Interrupted: If a stop was requested; the run is KILLED and can be resumed.
            TrainingError: If training failed; the run is FAILED with what was logged.
            RunLockedError: If another process trains it.
            TrackingError: If the store cannot take the run before it starts.
            DropoutLabError: If its state cannot be saved; the run is KILLED and can be resumed.
        """
        engine, reason = choose_engine(run.settings, device)
        if reason:
            self.reporter.noted(f"The stock engine is used: {reason}")
        key = run.key(data.fingerprint, device, engine)
        with open_run_folder(key) as folder:
            if fresh:
                self._abandon(folder)
            elif finished := self.tracker.find_finished(key):
                folder.remove()
                self.tracker.set_tags(finished.run_id, {tags.REQUESTED: tags.now_ms()})
                return RunOutcome(run, finished.run_id, dict(finished.metrics), was_finished=True)
            if not ResultFolder(folder.result).exists():
                session = Session(run.settings, data, run.seed, device, engine)
                self._train(run, session, _run_start(run, key, session, data, device), folder)
            return self.deliver(run, folder)

    def deliver(self, run: PlannedRun, folder: RunFolder) -> RunOutcome:
        """Give the result in `folder` to the tracking store; what the store has already is not sent twice."""
        result = ResultFolder(folder.result)
        content = result.read()
        run_id, metrics, epochs = content["run_id"], content["metrics"], content["epochs"]
        try:
            self.tracker.log_epochs(run_id, epochs)
            self.tracker.log_result(
                run_id,
                metrics,
                step=epochs[-1].epoch,
                timestamp_ms=epochs[-1].end_time_ms,
                folder=result.artifacts,
            )
            self.tracker.set_tags(run_id, content["tags"])
            self.tracker.log_model(run_id, load_model(result.model), content["input_example"], metrics)
            self.tracker.end_run(run_id, RunStatus.FINISHED)
        except TrackingError as error:
            self.reporter.noted(
                f"The result of {run.name} is complete, but the tracking store did not take it:"
                f" {error.message} It is kept."
            )
            return RunOutcome(run, run_id, metrics, delivered=False)
        folder.remove()
        return RunOutcome(run, run_id, metrics)

    def _train(self, run: PlannedRun, session: Session, start: RunStart, folder: RunFolder) -> None:
        checks = session.check_dropout()
        run_id = self._start_or_resume(run, start, folder)
        try:
            progress = session.restore(folder.path, self.reporter.noted)
            self.reporter.started(run, run_id, session, progress)
            delivery = EpochDelivery(self.tracker, run_id, self.reporter.noted)
            watch = Watch(run, session, folder, delivery, self.reporter, self.stop)
            with self.tracker.system_metrics(run_id):
                progress = session.train(progress, watch)
            began = time.perf_counter()
            train, test = session.evaluate()
            metrics = {
                **final_metrics(train, test, checks),
                "train_seconds": sum(epoch.epoch_seconds for epoch in progress.epochs),
                "evaluation_seconds": time.perf_counter() - began,
            }
            ResultFolder(folder.result).fill(run_id, session, progress.epochs, metrics, train, test)
        except TrainingError as error:
            self._end(run_id, RunStatus.FAILED, {"dropout_lab.failure": error.message})
            folder.remove()
            raise
        except BaseException:
            self._end(run_id, RunStatus.KILLED)
            raise

    def _start_or_resume(self, run: PlannedRun, start: RunStart, folder: RunFolder) -> str:
        """Return the id of the run in MLflow: one and the same, at whatever moment earlier calls died."""
        begun = {"start_id": uuid.uuid4().hex, "run": run.to_json(), "versions": result_versions()}
        state: dict[str, Any] = begun | folder.read()
        folder.write(state)
        run_id = str(state.get("run_id", ""))
        if not run_id:
            run_id = self.tracker.start_run(start, start_id=state["start_id"])
            folder.write({**state, "run_id": run_id})
        else:
            self.tracker.resume_run(run_id)
        return run_id

    def _abandon(self, folder: RunFolder) -> None:
        """Forget what earlier calls began, and say so in MLflow."""
        if run_id := folder.read().get("run_id"):
            self._end(run_id, RunStatus.KILLED)
        folder.clear()

    def _end(self, run_id: str, status: RunStatus, tags: dict[str, str] | None = None) -> None:
        try:
            self.tracker.set_tags(run_id, tags or {})
            self.tracker.end_run(run_id, status)
        except TrackingError as error:
            self.reporter.noted(error.message)


def _run_start(run: PlannedRun, key: str, session: Session, data: Dataset, device: DeviceInfo) -> RunStart:
    resolved = {"condition": run.condition, "seed": run.seed, **run.settings.model_dump(mode="json")}
    return RunStart(
        run_name=run.name,
        description=run.origin.description,
        condition=run.condition,
        seed=run.seed,
        spec=flatten(run.settings),
        tags={
            "dropout_lab.run_key": key,
            "dropout_lab.spec_fingerprint": run.spec_fingerprint,
            "dropout_lab.initial_weights": session.initial_weights,
            "dropout_lab.batch_order": session.batch_order,
            "dropout_lab.claims_fingerprint": run.origin.claims,
            tags.DESIGN: run.origin.design,
            "dropout_lab.data_digest": data.fingerprint.digest,
            "dropout_lab.engine": session.engine_name,
            "dropout_lab.device": device.device,
            "dropout_lab.device_name": device.device_name,
            "dropout_lab.num_threads": str(device.num_threads),
            "dropout_lab.precision": device.precision,
            "dropout_lab.instruction_set": device.instruction_set,
            "dropout_lab.onednn": device.onednn,
            **provenance_tags(),
        },
        data=data.fingerprint,
        texts={
            "spec/given.yaml": run.origin.text,
            "spec/resolved.yaml": yaml.safe_dump(resolved, sort_keys=False),
            "model_summary.txt": session.summary(),
        },
    )
