"""Takes one planned run from data to tracking, from wherever an earlier attempt stopped."""

import shlex
from dataclasses import dataclass, field, replace
from pathlib import Path

from dropout_lab.data.dataset import Dataset
from dropout_lab.errors import TrackingError, TrainingError
from dropout_lab.records import DeviceInfo, RunRecord, RunStatus
from dropout_lab.runs.continuing import leftovers, require_same, store_name
from dropout_lab.runs.deliveries import Deliveries
from dropout_lab.runs.delivering import deliver, outcome_of, started
from dropout_lab.runs.evaluation_parts import missing_parts
from dropout_lab.runs.identity import Identity, identify, other_arithmetic
from dropout_lab.runs.measuring import measure_run
from dropout_lab.runs.outcome import RunOutcome
from dropout_lab.runs.planning import PlannedRun
from dropout_lab.runs.provenance import Provenance, find_provenance
from dropout_lab.runs.pruning import status_after
from dropout_lab.runs.reporter import Reporter
from dropout_lab.runs.result import MODEL, read_result
from dropout_lab.runs.run_start import run_start
from dropout_lab.runs.stopping import StopRequest
from dropout_lab.runs.watch import Watch
from dropout_lab.runs.workspace import RunLockedError, State, Workspace
from dropout_lab.tracking import EpochDelivery, Tracker, discard_run, schema
from dropout_lab.training.engines import choose_engine
from dropout_lab.training.trainer import Trainer


@dataclass(frozen=True)
class Runner:
    """Executes the runs of one experiment.

    Attributes:
        tracker: Tracker of the experiment.
        reporter: Progress callbacks.
        stop: Ends the run at the next step, with its state saved, once it holds a signal.
        provenance: Commit and versions, logged with each run.
        deliveries: Takes results to upload while the next run trains. [default: results are uploaded here]
    """

    tracker: Tracker
    reporter: Reporter
    stop: StopRequest
    provenance: Provenance = field(default_factory=find_provenance)
    deliveries: Deliveries | None = None

    def execute(
        self, run: PlannedRun, data: Dataset, device: DeviceInfo, *, fresh: bool = False
    ) -> RunOutcome:
        """Train `run`, continue where it was interrupted, or find that it is finished.

        If it was finished and its retraining was interrupted, it continues.

        Args:
            run: The planned run.
            data: The data that its settings choose.
            device: The device that its settings resolve to.
            fresh: Retrain the run even if it is finished or interrupted.

        Raises:
            Interrupted: If a stop was requested; the run is KILLED and can be resumed.
            TrainingError: If training failed; the run is FAILED with what was logged.
            RunLockedError: If another process trains it.
            CannotContinueError: If it was interrupted under another arithmetic.
            TrackingError: If the store does not take the run before it starts.
            DropoutLabError: If its state cannot be saved; the run is KILLED and can be resumed.
        """
        identity = self._identify(run, data, device)
        store = store_name(self.tracker.location)
        workspace = Workspace.of(identity, run.origin.experiment, store)
        with workspace.locked(lambda sentence: self.reporter.noted(f"{run.name}: {sentence}")):
            if fresh:
                self.abandon(workspace)
            self._drop_damaged_result(workspace)
            begun = _state_to_continue(workspace, identity)
            finished = None if fresh else self.tracker.find_finished(identity.key)
            if finished and (begun is None or begun.run_id == finished.run_id):
                return self._reuse(run, finished, identity, workspace)
            if begun is None:
                state = self._begin(run, identity, store, workspace)
            else:
                state = self._with_evaluation(run, begun, workspace)
            outcome = self._finish(workspace, state, data, device)
        if self.deliveries is not None and not outcome.delivered:
            self.deliveries.take(workspace, outcome)
        return outcome

    def resume(self, workspace: Workspace, state: State, data: Dataset, device: DeviceInfo) -> RunOutcome:
        """Continue the run of a workspace, whose lock is held.

        Raises:
            CannotContinueError: If it would not end with the weights that it was started for.
            Interrupted, TrainingError, TrackingError, DropoutLabError: As `execute`.
        """
        require_same(state, self._identify(state.run, data, device))
        self._drop_damaged_result(workspace)
        return self._finish(workspace, state, data, device)

    def abandon(self, workspace: Workspace) -> None:
        """Drop what a workspace holds, and mark its MLflow run as KILLED."""
        state = workspace.read()
        if state is not None and state.run_id:
            try:
                discard_run(state.run_id)
            except TrackingError as error:
                self.reporter.noted(error.message)
        workspace.clear()

    def _identify(self, run: PlannedRun, data: Dataset, device: DeviceInfo) -> Identity:
        engine, reason = choose_engine(run.settings, data, device)
        if reason:
            self.reporter.noted(f"{run.name} uses the stock engine: {reason}")
        return identify(run, data.fingerprint, device, engine)

    def _begin(self, run: PlannedRun, identity: Identity, store: str, workspace: Workspace) -> State:
        """Return the state of a run that starts now; what the workspace has of it cannot continue."""
        state = workspace.read()
        if state is None or state.identity is None:
            for sentence in leftovers(run, identity, store):
                self.reporter.noted(sentence)
            workspace.clear()
        else:
            if workspace.has_checkpoint:
                require_same(state, identity)
            self.abandon(workspace)
        return State(run, identity, store)

    def _with_evaluation(self, run: PlannedRun, begun: State, workspace: Workspace) -> State:
        """Return the state of an interrupted run that is evaluated as its spec says now."""
        if workspace.has_result:
            self._note_evaluation(run, read_result(workspace.result).tags.get(schema.EVALUATED, ""))
            return begun
        origin = replace(begun.run.origin, evaluation=run.origin.evaluation)
        return replace(begun, run=replace(begun.run, origin=origin))

    def _reuse(
        self, run: PlannedRun, finished: RunRecord, identity: Identity, workspace: Workspace
    ) -> RunOutcome:
        left = workspace.read()
        if left and left.identity and left.run_id != finished.run_id and workspace.has_checkpoint:
            reasons = "; ".join(left.identity.changes(identity))
            self.reporter.noted(
                f"{run.name} is finished (run {finished.run_id[:8]}). Dropped its interrupted run"
                f" {left.reference}, which cannot continue here: {reasons}."
            )
        self.abandon(workspace)
        workspace.remove()
        self.tracker.note_request(finished.run_id)
        if differences := other_arithmetic(finished, identity):
            self.reporter.noted(
                f"{run.name} (run {finished.run_id[:8]}) was trained with other arithmetic"
                f" ({'; '.join(differences)}), which may change the last digits of its weights."
                " To retrain it here, use --fresh."
            )
        self._note_evaluation(run, finished.evaluated)
        outcome = outcome_of(self.tracker, run, finished.run_id, finished.metrics)
        return replace(outcome, was_finished=True)

    def _note_evaluation(self, run: PlannedRun, evaluated: str) -> None:
        """Report how to add what the spec asks for now and the finished run does not have."""
        if run.evaluation is not None and missing_parts(run.evaluation, evaluated):
            command = f"dropout-lab evaluate {shlex.quote(run.origin.experiment)} {run.evaluation.options}"
            self.reporter.noted(
                f"{run.name} was finished without this evaluation. To add it, run `{command.rstrip()}`."
            )

    def _drop_damaged_result(self, workspace: Workspace) -> None:
        if workspace.has_result and (problem := workspace.result_problem()):
            self.reporter.noted(
                f"The saved result of {workspace.name} is incomplete: {problem}. Computing it again."
            )
            workspace.remove_result()

    def _finish(self, workspace: Workspace, state: State, data: Dataset, device: DeviceInfo) -> RunOutcome:
        is_missing = not workspace.has_result
        if is_missing:
            assert state.identity is not None
            self.reporter.entered(state.run, "preparing")
            trainer = Trainer(state.run.settings, data, state.run.seed, device, state.identity.engine)
            state = self._train(workspace, state, trainer, data, device)
        if self.deliveries is not None:
            metrics = read_result(workspace.result).metrics
            return outcome_of(self.tracker, state.run, state.run_id, metrics, delivered=False)
        return deliver(self.tracker, self.reporter, workspace, state, is_running=is_missing)

    def _train(
        self, workspace: Workspace, state: State, trainer: Trainer, data: Dataset, device: DeviceInfo
    ) -> State:
        checks = trainer.check_dropout()
        if unseen := ", ".join(trainer.unmeasured_sites):
            self.reporter.noted(f"{state.run.name}: the dropped fraction at {unseen} cannot be measured.")
        is_folder = state.run.settings.data.applies("folder")
        folder = str(Path(data.fingerprint.folder).absolute()) if is_folder else ""
        state = replace(state, data_folder=folder)
        start = run_start(state, trainer, data.fingerprint, device, self.provenance)
        run_id = started(self.tracker, self.reporter, workspace, state, start)
        state = workspace.read() or state
        try:
            progress = trainer.restore(workspace.path, self.reporter.noted)
            trained_by = f"{trainer.engine_name} engine on {trainer.device_name}"
            self.reporter.started(state.run, run_id, trained_by, progress)
            delivery = EpochDelivery(self.tracker, run_id, self.reporter.noted)
            watch = Watch(state.run, trainer, workspace, delivery, self.reporter, self.stop)
            with self.tracker.system_metrics(run_id):
                progress = trainer.train(progress, watch)
            self.reporter.entered(state.run, "evaluating")
            files = measure_run(state.run, trainer, data, device, progress, checks, self.reporter)
            workspace.save_result(files, MODEL, trainer.save_model)
        except RunLockedError:
            raise  # its MLflow run belongs to the other host now
        except BaseException as error:
            self._end(run_id, *status_after(error))
            if isinstance(error, TrainingError):
                workspace.remove()
            raise
        return state

    def _end(self, run_id: str, status: RunStatus, values: dict[str, str]) -> None:
        try:
            self.tracker.set_tags(run_id, values)
            self.tracker.end_run(run_id, status)
        except TrackingError as error:
            self.reporter.noted(error.message)


def _state_to_continue(workspace: Workspace, identity: Identity) -> State | None:
    """Return the state of a workspace if its run has its result or can continue as `identity`; else None."""
    state = workspace.read()
    if state is None or state.identity is None:
        return None
    return state if workspace.has_result or state.identity == identity else None
